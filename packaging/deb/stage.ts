import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { renderFile } from '../../src/lib/template/catalogue.ts';
import { needed } from './needed.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Package {
  version: string;
  /** As dpkg calls it. */
  architecture: string;
  /** Seconds of Unix time that files get. */
  epoch: number;
}

/** Whoever builds it for others says who they are, as Debian's own tools ask. */
export const MAINTAINER = `${process.env.DEBFULLNAME ?? 'The mtp authors'} <${process.env.DEBEMAIL ?? 'mtp@mtp.invalid'}>`;

const LIB = 'usr/lib/mtp';
const SHIPPED = ['dist', 'src/lib/hooks/messages.ts', 'templates', 'oclif.manifest.json', 'LICENSE'];
/** What a package brings along that nothing runs. */
const IDLE =
  /\/(?:\.[^/]+|tests?|docs?|examples?|integration|benchmarks?|tsconfig[\w.]*\.json)(?:\/|$)|\.(?:[cm]?ts|map|markdown|md|html|sh|flow|ya?ml|tsbuildinfo)$/i;

/** Lay out what the package installs below `tree`. */
export async function stage(tree: string, { version, epoch }: Package): Promise<void> {
  const lib = path.join(tree, LIB);
  for (const name of SHIPPED) copy(path.join(ROOT, name), path.join(lib, name));
  for (const name of ['accelerator.node', 'accelerator.stamp']) {
    const file = path.join(ROOT, 'src/native', name);
    if (existsSync(file)) copy(file, path.join(lib, 'src/native', name));
  }
  for (const name of ['accelerator.cc', 'binding.gyp'])
    copy(path.join(ROOT, 'src/native', name), path.join(lib, 'src/native', name));
  for (const name of needed(ROOT))
    copy(
      path.join(ROOT, name),
      path.join(lib, name),
      (file) => !IDLE.test(path.relative(ROOT, file).slice(name.length)),
    );
  // It is run by the Node that comes along, never by itself.
  write(path.join(lib, 'bin/run.js'), readFileSync(path.join(ROOT, 'bin/run.js'), 'utf8').replace(/^#!.*\n/, ''));
  writePackageJson(lib);
  const node = path.join(lib, 'node/bin/node');
  copy(path.join(ROOT, 'node_modules/node/bin/node'), node);
  execFileSync('strip', ['--strip-unneeded', node]);
  if (existsSync(path.join(lib, 'src/native/accelerator.node'))) {
    execFileSync('strip', ['--strip-unneeded', path.join(lib, 'src/native/accelerator.node')]);
  }
  write(path.join(tree, 'usr/bin/mtp'), `#!/bin/sh\nexec /${LIB}/node/bin/node /${LIB}/bin/run.js "$@"\n`);
  await writeService(tree);
  writeCompletion(tree);
  writeDocuments(tree, lib, { version, epoch });
}

function copy(from: string, to: string, filter: (file: string) => boolean = () => true): void {
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, dereference: true, filter });
}

function write(file: string, text: string | Uint8Array): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Without what only development needs. */
function writePackageJson(lib: string): void {
  const { name, version, description, license, type, bin, exports, engines, oclif } = JSON.parse(
    readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
  ) as Record<string, unknown>;
  write(
    path.join(lib, 'package.json'),
    `${JSON.stringify({ name, version, description, license, type, bin, exports, engines, oclif }, null, 2)}\n`,
  );
}

/** What of a unit depends on the machine, as `mtp init` measures it, is left open here. */
async function writeService(tree: string): Promise<void> {
  const options = {
    port: 443,
    cpus: 1,
    memoryMb: 0,
    command: ['/usr/bin/mtp'],
    logs: '/var/log/mtp',
    pidFile: '/var/lib/mtp/daemon.pid',
    domain: '',
    server: null,
  };
  const unit = await renderFile('mtp.service', options);
  const open = unit.replace(/^CPUQuota=.*\n/m, '').replace(/^MemoryMax=.*$/m, 'MemoryMax=75%');
  write(
    path.join(tree, 'lib/systemd/system/mtp.service'),
    open.replace(/^# .*\n/, '# Change it with: systemctl edit mtp.service\n'),
  );
  write(path.join(tree, 'etc/logrotate.d/mtp'), await renderFile('logrotate', options));
  write(path.join(tree, 'usr/lib/tmpfiles.d/mtp.conf'), 'd /run/mtp 0750 mtp mtp -\n');
  write(
    path.join(tree, 'usr/lib/sysusers.d/mtp.conf'),
    'u mtp - "Telegram MTProto proxy" /var/lib/mtp /usr/sbin/nologin\n',
  );
}

/** oclif writes them into its cache; here they are written at their places. */
function writeCompletion(tree: string): void {
  const cache = path.join(tree, 'cache');
  const env = { PATH: process.env.PATH, XDG_CACHE_HOME: cache, XDG_DATA_HOME: cache, HOME: cache, SHELL: '/bin/bash' };
  execFileSync(process.execPath, [path.join(ROOT, 'bin/run.js'), 'autocomplete', 'bash'], { env, stdio: 'ignore' });
  const functions = path.join(cache, 'mtp/autocomplete/functions');
  const bash = readFileSync(path.join(functions, 'bash/mtp.bash'), 'utf8').replace(/^#!.*\n/, '');
  write(path.join(tree, 'usr/share/bash-completion/completions/mtp'), bash);
  mkdirSync(path.join(tree, 'usr/share/zsh/vendor-completions'), { recursive: true });
  renameSync(path.join(functions, 'zsh/_mtp'), path.join(tree, 'usr/share/zsh/vendor-completions/_mtp'));
  rmSync(cache, { recursive: true });
}

function writeDocuments(tree: string, lib: string, { version, epoch }: Pick<Package, 'version' | 'epoch'>): void {
  const docs = path.join(tree, 'usr/share/doc/mtp');
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  const changelog = `mtp (${version}) stable; urgency=medium\n\n  * See NEWS.md.gz.\n\n -- ${MAINTAINER}  ${date}\n`;
  // Without a name and a time of its own.
  write(path.join(docs, 'changelog.gz'), gzipSync(changelog, { level: 9 }));
  write(path.join(docs, 'NEWS.md.gz'), gzipSync(readFileSync(path.join(ROOT, 'CHANGELOG.md')), { level: 9 }));
  write(path.join(docs, 'copyright'), copyright(lib));
  rmSync(path.join(lib, 'LICENSE'));
  write(
    path.join(tree, 'usr/share/lintian/overrides/mtp'),
    readFileSync(path.join(ROOT, 'packaging/deb/lintian-overrides'), 'utf8'),
  );
}

/** https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
function copyright(lib: string): string {
  const modules = globSync('node_modules/**/package.json', { cwd: lib })
    .map((file) => ({
      file,
      json: JSON.parse(readFileSync(path.join(lib, file), 'utf8')) as { name?: string; license?: string },
    }))
    .filter(({ json }) => json.name !== undefined)
    .map(
      ({ file, json }) =>
        `Files: usr/lib/mtp/${path.dirname(file)}/*\nCopyright: the authors of ${json.name ?? ''}\nLicense: ${json.license ?? 'see-package'}\n`,
    )
    .sort();
  const licences = [...new Set(modules.map((text) => /^License: (.*)$/m.exec(text)?.[1] ?? ''))].sort();
  return [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: mtp\n',
    'Files: *\nCopyright: the mtp authors\nLicense: Apache-2.0\n',
    'Files: usr/lib/mtp/node/*\nCopyright: Node.js contributors\nLicense: MIT\n',
    ...modules,
    ...licences.map(
      (name) =>
        `License: ${name}\n Its text is ${name === 'Apache-2.0' ? '/usr/share/common-licenses/Apache-2.0' : 'in the package that has it'}.\n`,
    ),
  ].join('\n');
}
