#!/usr/bin/env node
// Plain old syntax up to the check, so that an outdated Node prints this line and not a stack trace.
const need = [22, 13];
const have = process.versions.node.split('.').map(Number);
if (have[0] < need[0] || (have[0] === need[0] && have[1] < need[1])) {
  process.stderr.write(`mtp needs Node ${need.join('.')} or newer; this is Node ${process.versions.node}\n`);
  process.exit(2);
}
import('node:module')
  .then(({ enableCompileCache }) => enableCompileCache())
  .then(() => import('../dist/lib/cli/main.js'))
  .then(({ main }) => main(process.argv.slice(2), import.meta.url));
