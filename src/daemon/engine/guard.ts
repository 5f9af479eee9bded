import { addressWords } from '../../lib/access/prefix.ts';
import { rulingAt } from '../../lib/access/packed-rulings.ts';
import type { Verdict } from '../../lib/access/ruling.ts';
import type { Signal } from '../../lib/guard/signals.ts';
import type {
  EngineSettings,
  EngineVerdict,
  GuardRules,
  HandshakeResult,
  Offence,
  Outlook,
} from '../supervisor/engine.ts';
import { monotonicMs } from './dc-breakers.ts';
import type { ConductTable, Rate } from './shared/conduct.ts';
import type { Source } from './shared/source.ts';

/** What a network may not is not told from what a stranger gets: its connections are the cover's (protocol.md §4). */

/** What an opening says about the network that it came from; those that are not named say nothing. */
const SIGNAL_OF: Partial<Record<HandshakeResult, Signal>> = {
  replay: 'replay',
  bad_hmac: 'mac',
  bad_tag: 'mac',
  http: 'garbage',
  garbage: 'garbage',
  silent: 'silent',
  timeout: 'timeout',
  rate: 'flood',
};

/** A network under `limit` pays as if it had opened so many connections. */
const LIMITED_COST = 10;
/** Offences that a worker reports in a second: a flood from everywhere must not drown the daemon. */
const REPORTS = 100;

/** Nothing is ruled. */
export const NO_RULES: GuardRules = { allowed: null, bans: null, access: null };

/** Decides about connections by the network that they come from, and keeps what their openings say about it. */
export class Guard {
  readonly #conduct: ConductTable;
  readonly #report: (offence: Offence) => void;
  #rules = NO_RULES;
  #settings: EngineSettings['guard'];
  #rate: Rate | null;
  #reported = { second: 0, count: 0 };

  constructor(conduct: ConductTable, settings: EngineSettings, report: (offence: Offence) => void) {
    this.#conduct = conduct;
    this.#report = report;
    this.#settings = settings.guard;
    this.#rate = rateOf(settings);
  }

  set settings(settings: EngineSettings) {
    this.#settings = settings.guard;
    this.#rate = rateOf(settings);
  }

  set rules(rules: GuardRules) {
    this.#rules = rules;
  }

  /** What is ruled of an address; `allowed` goes before everything else. `now` is Unix time in seconds. */
  verdict(host: string, now: number): EngineVerdict {
    const { allowed, bans, access } = this.#rules;
    if (allowed === null && bans === null && access === null) return null;
    const words = addressWords(host);
    if (words === null) return null;
    if (allowed !== null && rulingAt(allowed, words, now) !== null) return 'allowed';
    const banned = bans === null ? null : rulingAt(bans, words, now);
    if (banned !== null) return banned.verdict;
    return access === null ? null : (rulingAt(access, words, now)?.verdict ?? null);
  }

  /** Whether a network may open one more connection now. */
  pay(source: Source, verdict: Verdict | null): boolean {
    if (this.#rate === null) return true;
    return this.#conduct.pay(source, this.#rate, verdict === 'limit' ? LIMITED_COST : 1, monotonicMs());
  }

  /** What an address of this source meets now. */
  outlook(host: string, source: Source, now: number): Outlook {
    const verdict = this.verdict(host, now);
    const limited = verdict !== 'allowed' && this.#rate !== null;
    const left = limited ? this.#conduct.left(source, this.#rate as Rate, monotonicMs()) : null;
    return { verdict, mayOpen: left && Math.floor(verdict === 'limit' ? left / LIMITED_COST : left) };
  }

  /** Keep how an opening from `host` ended. */
  learn(host: string, source: Source, result: HandshakeResult, now: number): void {
    if (result === 'ok') {
      this.#conduct.succeeded(source, monotonicMs(), now);
      return;
    }
    const signal = SIGNAL_OF[result];
    if (signal === undefined) return;
    const conduct = this.#conduct.note(source, signal, this.#settings.step, monotonicMs(), now);
    if (conduct !== null && this.#mayReport(now)) this.#report({ host, at: now, ...conduct });
  }

  #mayReport(second: number): boolean {
    if (this.#reported.second !== second) this.#reported = { second, count: 0 };
    this.#reported.count += 1;
    return this.#reported.count <= REPORTS;
  }
}

function rateOf({ limits: { opened } }: EngineSettings): Rate | null {
  return opened === null ? null : { burst: opened.connections, perMs: opened.connections / opened.windowMs };
}
