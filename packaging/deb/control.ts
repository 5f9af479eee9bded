import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  globSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAINTAINER, type Package } from './stage.ts';

const SCRIPTS = ['postinst', 'prerm', 'postrm'];
const PROGRAMS = /^usr\/(?:bin\/|lib\/mtp\/node\/bin\/)|^DEBIAN\/(?:postinst|prerm|postrm)$/;

/** Write what dpkg reads below `tree`, and give every file the mode and the time that do not depend on where it was built. */
export async function writeControl(tree: string, { version, architecture, epoch }: Package): Promise<void> {
  const files = list(tree);
  const bytes = files.filter((file) => lstatSync(path.join(tree, file)).isFile());
  const control = path.join(tree, 'DEBIAN');
  mkdirSync(control);
  const kilobytes = bytes.reduce((sum, file) => sum + Math.ceil(lstatSync(path.join(tree, file)).size / 1024), 0);
  writeFileSync(
    path.join(control, 'control'),
    [
      ...['Package: mtp', `Version: ${version}`, `Architecture: ${architecture}`, `Installed-Size: ${kilobytes}`],
      ...[`Maintainer: ${MAINTAINER}`, 'Section: net', 'Priority: optional'],
      'Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 9), passwd',
      'Recommends: ca-certificates, logrotate',
      'Suggests: openssh-client, nftables',
      'Description: Telegram MTProto proxy with a daemon that looks after it',
      ' A command line, a daemon and a proxy engine. To everyone without a secret the',
      ' server looks like the website that you choose.',
      ' .',
      ' After installation nothing runs: "mtp init" sets the proxy up, with checks',
      ' before and proofs after. Node.js comes along in /usr/lib/mtp/node.',
      '',
    ].join('\n'),
  );
  const isConfiguration = (file: string): boolean => file.startsWith('etc/');
  writeFileSync(
    path.join(control, 'conffiles'),
    bytes
      .filter(isConfiguration)
      .map((file) => `/${file}\n`)
      .join(''),
  );
  const sum = (file: string): string =>
    createHash('md5')
      .update(readFileSync(path.join(tree, file)))
      .digest('hex');
  const summed = bytes.filter((file) => !isConfiguration(file));
  writeFileSync(path.join(control, 'md5sums'), summed.map((file) => `${sum(file)}  ${file}\n`).join(''));
  for (const name of SCRIPTS) {
    copyFileSync(fileURLToPath(new URL(`scripts/${name}`, import.meta.url)), path.join(control, name));
  }
  settle(tree, epoch);
}

/** Everything below, by name; links are not followed. */
function list(tree: string): string[] {
  return globSync('**/*', { cwd: tree, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(tree, path.join(entry.parentPath, entry.name)))
    .sort();
}

function settle(tree: string, epoch: number): void {
  const all = globSync('{**/*,**/.*}', { cwd: tree });
  // What is deeper comes first: it changes the time of its directory.
  for (const name of ['', ...all].sort().reverse()) {
    const file = path.join(tree, name);
    const stat = lstatSync(file);
    if (!stat.isSymbolicLink()) chmodSync(file, stat.isDirectory() || PROGRAMS.test(name) ? 0o755 : 0o644);
    lutimesSync(file, epoch, epoch);
  }
}
