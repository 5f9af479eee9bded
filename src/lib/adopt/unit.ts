import { notUnderstood } from './found.ts';

export interface UnitCommand {
  argv: string[];
  /** Where relative names in it begin; undefined for the root. */
  directory: string | undefined;
}

/** What the text of a systemd unit starts (systemd.service(5)); drop-ins may follow it, and the last word counts. */
export function readUnit(text: string): UnitCommand {
  const lines = text.replace(/\\\r?\n/g, ' ').split('\n');
  const last = (name: string): string | undefined =>
    lines
      .findLast((line) => line.startsWith(`${name}=`) && line.trim() !== `${name}=`)
      ?.slice(name.length + 1)
      .trim();
  const start = last('ExecStart');
  if (start === undefined) throw notUnderstood('the unit', 'it has no ExecStart');
  const words = [...start.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)];
  const argv = words.map(([, double, single, bare = '']) => double?.replace(/\\(.)/g, '$1') ?? single ?? bare);
  if (argv.some((word) => word.includes('$')))
    throw notUnderstood('the unit', 'its ExecStart takes words from variables');
  const [program = '', ...rest] = argv;
  return { argv: [program.replace(/^[-@:+!|]+/, ''), ...rest], directory: last('WorkingDirectory') };
}
