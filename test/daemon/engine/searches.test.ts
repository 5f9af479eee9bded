import { expect, test } from 'vitest';
import { Searches } from '../../../src/daemon/engine/searches.ts';

/** A step that is over the `steps`th time, each of which takes a little. */
function search(name: string, steps: number, log: string[]): () => boolean {
  let done = 0;
  return () => {
    const until = performance.now() + 0.3;
    while (performance.now() < until);
    log.push(name);
    return ++done === steps;
  };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a short search is over at once', () => {
  const log: string[] = [];
  const searches = new Searches();
  searches.begin(search('a', 1, log));
  expect(log).toEqual(['a']);
  expect(searches.busy).toBe(false);
});

test('long ones come one after the other, and the event loop turns in between', async () => {
  const log: string[] = [];
  const searches = new Searches();
  searches.begin(search('a', 30, log));
  searches.begin(search('b', 2, log));
  expect(log.length).toBeLessThan(30);
  expect(log).not.toContain('b');
  let turns = 0;
  for (; searches.busy; turns++) await turn();
  expect(turns).toBeGreaterThan(3);
  expect(log).toEqual([...Array<string>(30).fill('a'), 'b', 'b']);
});

test('one that is given up takes no more turns', async () => {
  const log: string[] = [];
  const searches = new Searches();
  const endless = (): boolean => (log.push('a'), false);
  searches.begin(endless);
  searches.begin(search('b', 1, log));
  searches.drop(endless);
  const before = log.length;
  await turn();
  await turn();
  expect(log.slice(before)).toEqual(['b']);
  expect(searches.busy).toBe(false);
});
