#!/usr/bin/env node
// npm leaves optional packages for other platforms out of the lock file when its registry does not list them, and `npm ci`
// then refuses the file. This puts them back from what their parents ask for. Run it after every change of dependencies.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const OS = {
  win32: 'win32',
  darwin: 'darwin',
  linux: 'linux',
  android: 'android',
  freebsd: 'freebsd',
  openharmony: 'openharmony',
};
const CPU = {
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
};

let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (lock.packages[`node_modules/${name}`] ?? lock.packages[`${place}/node_modules/${name}`]) continue;
    const words = name.split(/[-/]/);
    const os = words.find((word) => word in OS);
    const cpu = words.find((word) => word in CPU);
    if (os === undefined || cpu === undefined || !/^\d/.test(version))
      throw new Error(`cannot place ${name}@${version}`);
    const libc = words.some((word) => word.startsWith('musl'))
      ? 'musl'
      : words.some((word) => /^(gnu|glibc)/.test(word))
        ? 'glibc'
        : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [CPU[cpu]],
      ...(entry.dev ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc: [libc] }),
      optional: true,
      os: [OS[os]],
    };
    added += 1;
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries put back`);
