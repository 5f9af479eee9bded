import { startRelay } from './baseline.ts';
import type { Programs } from './build.ts';
import { startEngine } from './engine.ts';
import { type Generator, type LoadOptions, measure } from './generator.ts';
import { generatorAt, makeSite, type Running } from './site.ts';

/** Every load that moves bytes through the relay in C and through the engine, in every mode, comparing every byte. */

const SECONDS = { seconds: 0.3, 'warm-up': 0.1 };
const LOADS: { load: string; options: LoadOptions; counts: 'bytes' | 'ops' }[] = [
  { load: 'download', options: { connections: 4 }, counts: 'bytes' },
  { load: 'upload', options: { connections: 4, record: 2900 }, counts: 'bytes' },
  { load: 'paced', options: { connections: 20, rate: 1e6 }, counts: 'bytes' },
  { load: 'pingpong', options: { connections: 50 }, counts: 'ops' },
  { load: 'openloop', options: { connections: 50, rate: 500 }, counts: 'ops' },
  { load: 'mixed', options: { connections: 20, rate: 200 }, counts: 'ops' },
  { load: 'setup', options: { connections: 8 }, counts: 'ops' },
  { load: 'refused', options: { connections: 8 }, counts: 'ops' },
  { load: 'idle', options: { connections: 100, active: 0.2, rate: 200 }, counts: 'ops' },
];

/** Returns what went wrong, one line each. */
export async function check(programs: Programs, entry: URL, say: (line: string) => void): Promise<string[]> {
  const site = await makeSite();
  const faults: string[] = [];
  for (const fast of [true, false]) {
    for (const start of [
      async () => startRelay(programs.relay, site, { fast }),
      async () => startEngine(entry, site, { fast }),
    ]) {
      const running = await start();
      try {
        for (const fault of await checkOne(running, generatorAt(site, programs.load), site.key)) {
          faults.push(`${running.name}, fast mode ${fast ? 'on' : 'off'}, ${fault}`);
        }
      } finally {
        await running.stop();
      }
      say(`${running.name}, fast mode ${fast ? 'on' : 'off'}: ${LOADS.length} loads in fake-TLS and bare`);
    }
  }
  return faults;
}

async function checkOne({ target }: Running, generator: Generator, key: string): Promise<string[]> {
  const faults: string[] = [];
  for (const secret of [target.secret, `dd${key}`]) {
    for (const { load, options, counts } of LOADS) {
      const name = `${load} ${secret.slice(0, 2)}`;
      try {
        const run = await measure(generator, load, { ...target, secret }, { ...options, ...SECONDS, verify: true });
        if (run.damaged > 0 || run.errors > 0) faults.push(`${name}: ${run.errors} errors, ${run.damaged} damaged`);
        if (run[counts] === 0) faults.push(`${name}: nothing arrived`);
      } catch (error) {
        faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return faults;
}
