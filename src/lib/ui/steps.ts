/** Runs one step of a longer start and shows how it goes. */
export type Step = <Result>(title: string, task: () => Promise<Result>) => Promise<Result>;

/** Steps that nobody watches. */
export const silentStep: Step = async (_title, task) => task();

/** Steps with a spinner on a terminal. */
export const shownStep: Step = async <Result>(title: string, task: () => Promise<Result>): Promise<Result> => {
  const { Listr } = await import('listr2');
  let result: { value: Result } | undefined;
  const list = new Listr([{ title, task: async () => void (result = { value: await task() }) }], {
    concurrent: false,
    exitOnError: true,
    registerSignalListeners: false,
    // A terminal that does not know its width says 0, at which a spinner would be drawn a letter a line.
    fallbackRendererCondition: () => !process.stdout.isTTY || !(process.stdout.columns > 0),
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  });
  await list.run();
  if (result === undefined) throw new Error(`the step "${title}" was skipped`);
  return result.value;
};
