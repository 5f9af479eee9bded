import type { ControlActions } from '../../src/daemon/control/server.ts';

/** Actions of a daemon that is asked for nothing but what a test brings along. */
export function controlActions(actions: Partial<ControlActions>): ControlActions {
  const unasked = (name: string) => async (): Promise<never> => Promise.reject(new Error(`${name} was not expected`));
  return {
    status: unasked('status'),
    usage: unasked('usage'),
    plan: unasked('plan'),
    reload: unasked('reload'),
    engine: unasked('engine'),
    claim: unasked('claim'),
    guard: unasked('guard'),
    outlooks: unasked('outlooks'),
    log: unasked('log'),
    stop: unasked('stop'),
    ...actions,
  };
}

/** What `mtp status` says of an engine that nothing happened to. */
export const QUIET = { version: '0.1.0', nextTryAt: null, loopingEnds: null, process: null, draining: [] };
