/**
 * Where this installation's files are, whichever way it runs: the sources as they are, or the build, which has the entries at
 * the same places under dist/.
 */
const here = import.meta.url;
const fromSources = here.endsWith('.ts');
const root = here.slice(0, here.lastIndexOf(fromSources ? '/src/' : '/dist/') + 1);

/** URL of an entry for a child process or a thread, named by its path below src/ without the extension. */
export function entryUrl(entry: string): URL {
  return new URL(fromSources ? `src/${entry}.ts` : `dist/${entry}.js`, root);
}

/** URL of a file that the package ships, named by its path in the package. */
export function packageUrl(file: string): URL {
  return new URL(file, root);
}
