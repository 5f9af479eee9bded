import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeControl } from './control.ts';
import { ROOT, type Package, stage } from './stage.ts';

/** `npm run deb`: a Debian package of the build, the same bytes from the same tree. */

const { values } = parseArgs({
  // `--fast` makes a larger package sooner.
  options: { out: { type: 'string', default: '.' }, fast: { type: 'boolean', default: false } },
});
const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
const made: Package = {
  version,
  architecture: execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim(),
  // https://reproducible-builds.org/specs/source-date-epoch/
  epoch: Number(
    process.env.SOURCE_DATE_EPOCH ??
      execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }),
  ),
};

// One thread: how many there are changes the bytes.
const compression = values.fast ? ['-Zgzip', '-z1'] : ['-Zxz', '-z6', '--threads-max=1'];

const tree = await mkdtemp(path.join(os.tmpdir(), 'mtp-deb-'));
try {
  await stage(tree, made);
  await writeControl(tree, made);
  const file = path.resolve(values.out, `mtp_${made.version}_${made.architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(made.epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(file);
} finally {
  await rm(tree, { recursive: true });
}
