import { parseArgs } from 'node:util';
import type { Endpoint } from './generator.ts';
import { FIGURE_NAMES } from './suite.ts';

export interface Options {
  help: boolean;
  json: boolean;
  quick: boolean;
  strict: boolean;
  check: boolean;
  pairs: number;
  /** Null is all figures. */
  only: string[] | null;
  accelerator: 'on' | 'off' | 'auto';
  /** Directory for the cost curves of a full run. */
  plots: string | null;
  /** A proxy of somebody else's. */
  other: { at: Endpoint; secret: string; dc: Endpoint; cover?: Endpoint; pids: number[] } | null;
}

export const USAGE = `usage: npm run bench -- [options]

Measures the engine against a relay in C that does the same job, in one run. Needs Linux, gcc and the headers of OpenSSL 3.

  --quick               three pairs a figure and 2,000 idle sessions; under 10 minutes
  --pairs N             pairs of runs a figure (5, with --quick 3)
  --only NAME,...       these figures alone
  --json                one line of JSON a figure
  --strict              end with status 1 when a goal is missed
  --accelerator WHICH   on, off or auto: compiled code of the engine (auto)
  --plots DIR           cost curves as SVG and JSON, in a run without --quick
  --check               no figures: every load through relay and engine, comparing every byte
  --proxy HOST:PORT --secret HEX --dc HOST:PORT [--cover HOST:PORT] [--pid PID]...
                        drive another proxy, whose data centres and cover the load generator plays at these addresses

figures
${FIGURE_NAMES.map((name) => `  ${name}`).join('\n')}`;

const FULL_PAIRS = 5;
const QUICK_PAIRS = 3;

export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      pairs: { type: 'string' },
      only: { type: 'string' },
      accelerator: { type: 'string', default: 'auto' },
      plots: { type: 'string' },
      proxy: { type: 'string' },
      secret: { type: 'string' },
      dc: { type: 'string' },
      cover: { type: 'string' },
      pid: { type: 'string', multiple: true, default: [] },
    },
  });
  const { proxy, accelerator, help, json, quick, strict, check } = values;
  return {
    ...{ help, json, quick, strict, check },
    pairs: readPairs(values.pairs ?? String(quick ? QUICK_PAIRS : FULL_PAIRS)),
    only: readNames(values.only),
    accelerator: readAccelerator(accelerator),
    plots: values.plots ?? null,
    other: proxy === undefined ? null : readOther(proxy, values),
  };
}

function readPairs(text: string): number {
  const pairs = Number(text);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs: ${text} is not a number of pairs`);
  return pairs;
}

function readNames(text: string | undefined): string[] | null {
  if (text === undefined) return null;
  const names = text.split(',');
  const unknown = names.find((name) => !FIGURE_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`--only: no figure is called ${unknown}`);
  return names;
}

function readAccelerator(text: string): Options['accelerator'] {
  if (text === 'on' || text === 'off' || text === 'auto') return text;
  throw new Error('--accelerator: on, off or auto');
}

function readOther(
  proxy: string,
  { secret, dc, cover, pid }: { secret?: string; dc?: string; cover?: string; pid: string[] },
): Options['other'] {
  if (secret === undefined || dc === undefined) throw new Error('--proxy needs --secret and --dc');
  const at = { at: readEndpoint(proxy), secret, dc: readEndpoint(dc), pids: pid.map(Number) };
  return cover === undefined ? at : { ...at, cover: readEndpoint(cover) };
}

function readEndpoint(text: string): Endpoint {
  const [, host, port] = /^([\d.]+):(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`${text} is not HOST:PORT with an IPv4 address`);
  return { host, port: Number(port) };
}
