import type { ConfigEdit } from '../config/change.ts';
import { editToml } from '../config/edit.ts';
import { evaluate } from '../config/evaluate.ts';
import { invalidConfig } from '../config/load.ts';
import { renderConfigTemplate } from '../config/template.ts';
import { writeAtomic } from '../system/files.ts';
import { sha256 } from '../system/hash.ts';
import type { InstallStep } from './execute.ts';
import { readIfThere } from './file-step.ts';
import type { Journal } from './journal.ts';
import type { Layout } from './layout.ts';

/** The configuration with the answers in it. One that is there already keeps everything else that it says. */
export function configStep({ paths }: Layout, edits: ConfigEdit[], journal: Journal): InstallStep {
  const file = paths.configFile;
  const wanted = async (): Promise<string> => {
    const text = edits.reduce(
      (before, { key, value }) => editToml(before, key.split('.'), value),
      (await readIfThere(file)) ?? (await renderConfigTemplate({})),
    );
    const evaluation = evaluate({ file: { text, name: file } });
    if (!evaluation.ok) throw invalidConfig(evaluation.problems);
    return text;
  };
  return {
    id: 'config',
    title: `Configuration ${file}`,
    holds: async () => (await readIfThere(file)) === (await wanted()),
    makes: async () => {
      const isOurs = (await readIfThere(file)) === undefined || journal.hashOf(file) !== undefined;
      return isOurs ? [{ kind: 'file', path: file, sha256: sha256(await wanted()) }] : [];
    },
    act: async () => writeAtomic(file, await wanted()),
  };
}
