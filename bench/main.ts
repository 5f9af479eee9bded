import { buildPrograms, builtEngine } from './build.ts';
import { check } from './check.ts';
import { endChildren } from './children.ts';
import { drawCurves } from './curves.ts';
import { startEngine } from './engine.ts';
import { type Bench, type Figure, isMet } from './figure.ts';
import { measure } from './generator.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { driveOther } from './other.ts';
import { asJson, asLine, HEADINGS, wantsColour } from './report.ts';
import { generatorAt, makeSite } from './site.ts';
import { runSuite } from './suite.ts';

/** `npm run bench`: what the engine does with a CPU second, against a relay in C. */

const GIGA = 1e9;
/** sysexits.h */
const EX_USAGE = 64;

async function main(options: Options): Promise<number> {
  const programs = buildPrograms();
  if (options.other !== null) {
    await driveOther(programs, options.other, options.pairs, (figure) => console.log(JSON.stringify(figure)));
    return 0;
  }
  if (options.accelerator === 'off') process.env['MTP_ACCELERATOR'] = 'off';
  const entry = builtEngine();
  if (options.check) return report(await check(programs, entry, console.log));
  return runAll(options, {
    programs,
    entry,
    site: await makeSite(),
    pairs: options.pairs,
    quick: options.quick,
    wants: (name) => options.only === null || options.only.includes(name),
  });
}

function report(faults: string[]): number {
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

async function runAll(options: Options, about: Omit<Bench, 'generator' | 'tell'>): Promise<number> {
  const generator = generatorAt(about.site, about.programs.load);
  const figures: Figure[] = [];
  const colour = wantsColour();
  const tell = (figure: Figure): void => {
    figures.push(figure);
    console.log(options.json ? asJson(figure) : asLine(figure, colour));
  };
  const bench: Bench = { ...about, generator, tell };
  const accelerated = await hasAccelerator(bench);
  if (options.accelerator === 'on' && !accelerated) throw new Error('--accelerator on: the engine runs without one');
  if (!options.json) {
    console.log(await ceiling(bench));
    console.log(
      `engine: ${accelerated ? 'accelerated' : 'pure TypeScript'}, Node ${process.versions.node}\n\n${HEADINGS}`,
    );
  }
  await runSuite(bench);
  if (options.plots !== null && !options.quick) await drawCurves(bench, options.plots, console.error);
  return options.strict && !figures.every(isMet) ? 1 : 0;
}

async function hasAccelerator({ entry, site }: Bench): Promise<boolean> {
  const engine = await startEngine(entry, site);
  await engine.stop();
  return engine.accelerated;
}

/** What the generator itself can do, with no proxy between its two ends. */
async function ceiling({ generator, site }: Bench): Promise<string> {
  const direct = { dc: site.dc, direct: true } as const;
  const bulk = await measure(generator, 'download', direct, { connections: 4 });
  const pings = await measure(generator, 'pingpong', direct, { connections: 100 });
  const gigabytes = (bulk.bytes / bulk.seconds / GIGA).toFixed(1);
  const messages = Math.round(pings.ops / pings.seconds).toLocaleString('en');
  return `load generator alone: ${gigabytes} GB/s, ${messages} messages/s`;
}

// The engine is in a process group of its own: Ctrl-C does not reach it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endChildren();
    process.exit(130);
  });
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(EX_USAGE);
  }
}

const options = optionsOrExit();
try {
  if (options.help) console.log(USAGE);
  else process.exitCode = await main(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
} finally {
  endChildren();
}
