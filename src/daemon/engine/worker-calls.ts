import type { Worker } from 'node:worker_threads';
import { ListenError } from './listen-error.ts';
import type { WorkerMessage, WorkerRequest } from './worker-messages.ts';

/** Requests of the pool to a worker thread, and the answers. */

/** Send a request and wait for the answer that is one to it, or the end of the worker. */
export async function told(
  worker: Worker,
  request: WorkerRequest,
  isAnswer: (message: WorkerMessage) => boolean,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      worker.off('message', listener);
      worker.off('exit', settle);
      resolve();
    };
    const listener = (message: WorkerMessage): void => {
      if (isAnswer(message)) settle();
    };
    worker.on('message', listener);
    worker.once('exit', settle);
    worker.postMessage(request);
  });
}

/** Send a request and wait for the answer of that type; null when the worker ends instead, rejects when it fails to listen. */
export async function answered<Type extends WorkerMessage['type']>(
  worker: Worker,
  request: WorkerRequest,
  type: Type,
): Promise<Extract<WorkerMessage, { type: Type }> | null> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off('message', listener);
      worker.off('exit', ended);
    };
    const ended = (): void => {
      settle();
      resolve(null);
    };
    const listener = (message: WorkerMessage): void => {
      if (message.type === type) {
        settle();
        resolve(message as Extract<WorkerMessage, { type: Type }>);
      } else if (message.type === 'failed') {
        settle();
        reject(new ListenError(message.code, message.message));
      }
    };
    worker.on('message', listener);
    worker.once('exit', ended);
    worker.postMessage(request);
  });
}
