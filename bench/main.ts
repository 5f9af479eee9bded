import { startRelay } from './baseline.ts';
import { builtEngine, buildPrograms } from './build.ts';
import { compare } from './compare.ts';
import { startEngine } from './engine.ts';
import { RATIOS } from './ratios.ts';
import { makeSite } from './site.ts';

const programs = buildPrograms();
const entry = builtEngine();
const site = await makeSite();
const generator = { program: programs.load, cores: site.generatorCores };
for (const fast of [true, false]) {
  const theirs = await startRelay(programs.relay, site, { fast });
  const ours = await startEngine(entry, site, { fast });
  for (const figure of RATIOS.filter((each) => each.fast === fast)) {
    const found = await compare(generator, figure, ours.target, theirs.target, 3);
    console.log(JSON.stringify({ name: figure.name, ...found, goal: figure.goal }));
  }
  await ours.stop();
  await theirs.stop();
}
