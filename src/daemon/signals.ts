export type StopReason = 'SIGTERM' | 'SIGINT';

export interface Signals {
  /** The first order to stop. */
  stopped: Promise<StopReason>;
  /** A second SIGINT. */
  stoppedAtOnce: Promise<'at-once'>;
  onHangUp: (listener: () => void) => void;
  close: () => void;
}

/** The orders that a daemon takes from outside: stop, stop at once, read the files again. */
export function watchSignals(source: NodeJS.EventEmitter = process): Signals {
  const stop = Promise.withResolvers<StopReason>();
  const atOnce = Promise.withResolvers<'at-once'>();
  let stopping = false;
  let hangUp: () => void = () => undefined;
  const listeners: [string, () => void][] = [
    ['SIGHUP', () => hangUp()],
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
    close: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener);
    },
  };
}
