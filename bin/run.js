#!/usr/bin/env node
// Plain old syntax in the whole file, so that an outdated Node prints this line and not a stack trace.
const need = [22, 13];
const have = process.versions.node.split('.').map(Number);
if (have[0] < need[0] || (have[0] === need[0] && have[1] < need[1])) {
  process.stderr.write(`mtp needs Node ${need.join('.')} or newer; this is Node ${process.versions.node}\n`);
  process.exit(2);
}
import('node:module')
  .then(({ enableCompileCache }) => {
    const directory = cacheDirectory();
    // Where the directory cannot be made, Node goes without.
    if (directory !== undefined) enableCompileCache(directory);
  })
  .then(() => import('../dist/lib/cli/main.js'))
  .then(({ main }) => main(process.argv.slice(2), import.meta.url));

/** Where compiled code is kept: never in Node's default under /tmp, where anybody could have left some for us to run. */
function cacheDirectory() {
  if (process.getuid && process.getuid() === 0) return '/var/cache/mtp';
  const base = process.env.XDG_CACHE_HOME || `${process.env.HOME}/.cache`;
  return base.startsWith('/') ? `${base}/mtp` : undefined;
}
