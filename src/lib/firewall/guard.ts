import type { Intent } from './intent.ts';
import type { Script } from './script.ts';

/** What the guard has kept out since it was loaded, in packets; null where the back end does not count it. */
export interface Drops {
  banned: number | null;
  crowded: number | null;
  hasty: number | null;
  closed: number | null;
}

/** One way to restrict: rules of our own in the kernel. All of it is about what is ours, nothing else is touched. */
export interface Guard {
  kind: 'nftables' | 'iptables';
  /** As an operator knows it, such as iptables-legacy. */
  name: string;
  /** The rules in force, a line each; none where there is nothing of ours. */
  read: () => Promise<string[]>;
  /** The rules that an intent stands for, in the same words. */
  wanted: (intent: Intent) => Promise<string[]>;
  /** Puts an intent into force, each family in one step. */
  put: (intent: Intent) => Promise<Script>;
  /** The same where nothing of ours is in the kernel, as after a start of the machine. */
  boot: (intent: Intent) => Promise<Script>;
  /** Brings back what is in force now. */
  restore: () => Promise<Script>;
  /** Takes away all of ours. */
  clear: Script;
  drops: () => Promise<Drops>;
  /** Lines for sh that never limit or ban this address for a day; none where the back end cannot. */
  trust: (address: string) => string[];
}
