import { globSync } from 'node:fs';

/** Commands and the entries of processes keep their places; what they share goes into chunks, so that starting reads few files. */
const entries = [
  ...globSync('src/commands/**/*.ts'),
  'src/lib/cli/main.ts',
  'src/lib/cli/command-not-found.ts',
  'src/lib/cli/plugin.ts',
  'src/daemon/engine/main.ts',
  'src/daemon/engine/worker.ts',
];

export default {
  input: Object.fromEntries(entries.map((file) => [file.slice('src/'.length, -'.ts'.length), file])),
  platform: 'node',
  // Loaded by the daemon or rarely; the compilers are only ever asked for by oclif in a development setup.
  external: /^(?:fastify|pino|listr2|execa|conf|node-cron|@inquirer\/.*|typescript|ts-node|tsx)$/,
  output: { dir: 'dist', format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
};
