export const TICK_MS = 250;
const BUCKETS = 256;

/** Something with a deadline. The wheel owns the two fields. */
export interface Timed {
  /** Tick at which `expire` is due; -1 when not scheduled. */
  due: number;
  bucket: number;
  expire(): void;
}

/** One timer for all sessions of a worker: scheduling is two set operations, and precision is a quarter of a second. */
export class Wheel {
  readonly #buckets: Set<Timed>[] = Array.from({ length: BUCKETS }, () => new Set<Timed>());
  readonly #timer: NodeJS.Timeout;
  /** Ticks since the start: the coarse clock of idle checks. */
  now = 0;

  /** `before` is called ahead of the ticks that are due, so that what expires by them knows the latest. */
  constructor(before: () => void = () => undefined) {
    const started = performance.now();
    this.#timer = setInterval(() => {
      before();
      const target = Math.floor((performance.now() - started) / TICK_MS);
      while (this.now < target) this.#turn();
    }, TICK_MS);
  }

  /** Call `expire` once after `ms`, in place of what was scheduled for the item before. */
  schedule(item: Timed, ms: number): void {
    this.cancel(item);
    item.due = this.now + Math.max(1, Math.ceil(ms / TICK_MS));
    item.bucket = item.due % BUCKETS;
    this.#buckets[item.bucket]?.add(item);
  }

  cancel(item: Timed): void {
    if (item.due === -1) return;
    this.#buckets[item.bucket]?.delete(item);
    item.due = -1;
  }

  ticks(ms: number): number {
    return Math.ceil(ms / TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #turn(): void {
    this.now += 1;
    const bucket = this.#buckets[this.now % BUCKETS] as Set<Timed>;
    for (const item of bucket) {
      if (item.due > this.now) continue;
      bucket.delete(item);
      item.due = -1;
      item.expire();
    }
  }
}
