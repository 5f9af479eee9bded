import type { LogReply } from '../../lib/control/schema.ts';
import type { Level } from './log.ts';

/** Debug lines name more than an operator wants to keep, and are soon forgotten about. */
const DEBUG_MS = 30 * 60_000;

/** The least severe level that is logged: the configured one, or another for the time being. */
export class LogLevel {
  #configured: Level;
  #chosen: Level | undefined;
  #until: number | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(configured: Level) {
    this.#configured = configured;
  }

  get level(): Level {
    return this.#chosen ?? this.#configured;
  }

  /** A change of the configuration takes the place of what was chosen. */
  configure(level: Level): void {
    if (level === this.#configured) return;
    this.#configured = level;
    this.#forget();
  }

  /** Until the next start; `debug` for half an hour only. `now` is Unix time in ms. */
  choose(level: Level, now: number): void {
    this.#forget();
    if (level === this.#configured) return;
    this.#chosen = level;
    if (level !== 'debug') return;
    this.#until = now + DEBUG_MS;
    this.#timer = setTimeout(() => this.#forget(), DEBUG_MS).unref();
  }

  describe(): LogReply {
    return { level: this.level, configured: this.#configured, until: this.#until };
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#chosen = undefined;
    this.#until = null;
  }
}
