import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { backOffMs, HEALTHY_MS } from '../../../src/lib/system/back-off.ts';
import { BuiltinEngine } from '../../../src/daemon/supervisor/builtin.ts';
import type { EngineEvent, EngineRevision } from '../../../src/daemon/supervisor/engine.ts';
import { Supervisor } from '../../../src/daemon/supervisor/supervisor.ts';

const script = new URL('./fixtures/engine.ts', import.meta.url);
const revision = (id: string): EngineRevision => ({ id, users: [], settings: {} as EngineRevision['settings'] });

let running: Supervisor | undefined;
afterEach(async () => running?.stop());

function supervise(clock: { now: number } = { now: 0 }): {
  supervisor: Supervisor;
  events: EngineEvent[];
  pids: number[];
  waits: number[];
  /** What a wait takes longer for. */
  hold: Promise<undefined> | undefined;
  /** What more there is to say of a killed process. */
  why: string | undefined;
} {
  const [events, pids, waits]: [EngineEvent[], number[], number[]] = [[], [], []];
  const supervisor = new Supervisor({
    makeEngine: () => new BuiltinEngine(script),
    onEvent: (event) => void events.push(event),
    onOffence: () => undefined,
    onEngines: ([pid]) => void (pid === undefined || pids.push(pid)),
    watchDeath: async () => async () => setup.why,
    now: () => clock.now,
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms);
      await setup.hold;
    },
  });
  running = supervisor;
  const setup = { supervisor, events, pids, waits, hold: undefined, why: undefined } as ReturnType<typeof supervise>;
  return setup;
}

/** Ask the scripted engine for figures, which it answers by ending, and wait until another one runs. */
async function crash({ supervisor, pids }: ReturnType<typeof supervise>): Promise<void> {
  const before = pids.length;
  await expect(supervisor.stats()).rejects.toThrow('the engine ended with status 7');
  await expect.poll(() => pids.length).toBe(before + 1);
}

describe('supervisor', () => {
  it('starts the engine and passes on its events', async () => {
    const { supervisor, events } = supervise();
    const { pid, listening } = await supervisor.start(revision('a'));
    expect(listening.port).toBe(4430);
    expect(supervisor.state).toMatchObject({ state: 'running', pid, restarts: 0, lastError: null });
    expect(events).toContainEqual({ level: 'info', event: 'started', detail: { revision: 'a' } });
  });

  it('a first start that fails is the error of the engine, and no process is left', async () => {
    const { supervisor } = supervise();
    await expect(supervisor.start(revision('taken'))).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: 'port 443 is taken',
      hint: 'Choose another.',
      exit: 5,
    });
  });

  it('an engine that ends before it is ready fails the start', async () => {
    await expect(supervise().supervisor.start(revision('mute'))).rejects.toThrow('the engine ended with status 3');
  });

  it('an engine that ends is started again with the newest revision', async () => {
    const setup = supervise();
    await setup.supervisor.start(revision('a'));
    expect(await setup.supervisor.apply(revision('b'))).toBe('b');
    await crash(setup);
    expect(setup.supervisor.state).toMatchObject({
      state: 'running',
      restarts: 1,
      lastError: { message: 'the engine ended with status 7' },
    });
    expect(setup.events).toContainEqual({ level: 'info', event: 'started', detail: { revision: 'b' } });
    expect(new Set(setup.pids).size).toBe(2);
  });

  it('waits longer after each end, and starts over when the engine had been healthy', async () => {
    const clock = { now: 0 };
    const setup = supervise(clock);
    await setup.supervisor.start(revision('a'));
    await crash(setup);
    await crash(setup);
    clock.now += HEALTHY_MS;
    await crash(setup);
    expect(setup.waits).toEqual([1000, 2000, 1000]);
  });

  it('an engine that keeps ending is failing, which is told once', async () => {
    const clock = { now: 0 };
    const setup = supervise(clock);
    await setup.supervisor.start(revision('a'));
    for (let end = 1; end <= 4; end++) await crash(setup);
    expect(setup.supervisor.loopingEnds).toBeNull();
    await crash(setup);
    expect(setup.supervisor.loopingEnds).toBe(5);
    await crash(setup);
    const loops = setup.events.filter(({ event }) => event === 'restart_loop');
    expect(loops).toMatchObject([{ level: 'error', detail: { ends: 5, reason: 'the engine ended with status 7' } }]);
    clock.now += 11 * 60_000;
    expect(setup.supervisor.loopingEnds).toBeNull();
  });

  it('while it waits for the next start it says when that is due', async () => {
    const clock = { now: 5000 };
    const setup = supervise(clock);
    await setup.supervisor.start(revision('a'));
    const waiting = Promise.withResolvers<undefined>();
    setup.hold = waiting.promise;
    await expect(setup.supervisor.stats()).rejects.toThrow();
    await expect.poll(() => setup.supervisor.state).toMatchObject({ state: 'restarting', nextTryAt: 6000, pid: null });
    waiting.resolve(undefined);
    await expect.poll(() => setup.supervisor.state).toMatchObject({ state: 'running', nextTryAt: null });
  });

  it('an engine that the kernel killed for lack of memory is said to have been', async () => {
    const setup = supervise();
    setup.why = 'killed by the kernel for lack of memory (OOM)';
    const { pid } = await setup.supervisor.start(revision('a'));
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => setup.pids.length).toBe(2);
    expect(setup.supervisor.state.lastError?.message).toBe('killed by the kernel for lack of memory (OOM)');
  });

  it('a revision that the engine does not confirm is refused and not kept', async () => {
    const setup = supervise();
    await setup.supervisor.start(revision('a'));
    await expect(setup.supervisor.apply(revision('confused'))).rejects.toMatchObject({ code: 'REVISION' });
  });

  it('draining ends the engine for good and tells how many were cut', async () => {
    const { supervisor, pids } = supervise();
    await supervisor.start(revision('a'));
    expect(await supervisor.drain(10)).toEqual({ cut: 2 });
    expect(supervisor.state.state).toBe('stopped');
    expect(() => process.kill(pids[0] as number, 0)).toThrow();
    await expect(supervisor.stats()).rejects.toThrow('the engine is not running');
  });
});

describe('engine process', () => {
  it('a module that does not exist is an error, not a hang', async () => {
    const engine = new BuiltinEngine(new URL('file:///nonexistent/engine.js'));
    await expect(engine.start(revision('a'))).rejects.toMatchObject({ code: 'ENGINE' });
    await engine.stop();
  });
  it('stopping twice, or before a start, does nothing', async () => {
    const engine = new BuiltinEngine(script);
    await engine.stop();
    const { pid } = await engine.start(revision('a'));
    await engine.stop();
    await engine.stop();
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe('back-off', () => {
  it('stays between three quarters of a second and a minute, for any number of failures', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, jitter) => {
          const ms = backOffMs(failures, jitter);
          expect(ms).toBeGreaterThanOrEqual(750);
          expect(ms).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });
});
