export type StopReason = 'SIGTERM' | 'SIGINT' | 'request';

export interface Signals {
  /** The first order to stop. */
  stopped: Promise<StopReason>;
  /** A second SIGINT, or a request to stop at once. */
  stoppedAtOnce: Promise<'at-once'>;
  onHangUp: (listener: () => void) => void;
  /** SIGUSR1: log files were moved away. */
  onReopen: (listener: () => void) => void;
  /** An order to stop that is no signal. */
  stop: (options: { now: boolean }) => void;
  close: () => void;
}

/** The orders that a daemon takes from outside: stop, stop at once, read the files again. */
export function watchSignals(source: NodeJS.EventEmitter = process): Signals {
  const stop = Promise.withResolvers<StopReason>();
  const atOnce = Promise.withResolvers<'at-once'>();
  let stopping = false;
  let hangUp: () => void = () => undefined;
  let reopen: () => void = () => undefined;
  const listeners: [string, () => void][] = [
    ['SIGHUP', () => hangUp()],
    ['SIGUSR1', () => reopen()],
    ['SIGTERM', () => order('SIGTERM')],
    ['SIGINT', () => (stopping ? atOnce.resolve('at-once') : order('SIGINT'))],
  ];
  function order(reason: StopReason): void {
    stopping = true;
    stop.resolve(reason);
  }
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return {
    stopped: stop.promise,
    stoppedAtOnce: atOnce.promise,
    onHangUp: (listener) => {
      hangUp = listener;
    },
    onReopen: (listener) => {
      reopen = listener;
    },
    stop: ({ now }) => {
      order('request');
      if (now) atOnce.resolve('at-once');
    },
    close: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener);
    },
  };
}
