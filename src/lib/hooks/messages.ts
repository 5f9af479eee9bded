/**
 * What hooks of the operator's read on standard input, as JSON: one message by the name of each hook. Types alone, so that
 * plugins and hooks can import them as `mtp/hooks`. Times are in ISO 8601.
 */
export interface HookMessages {
  /** Secrets were replaced, and users have to be told. */
  'on-rotate': RotateMessage;
}

export interface RotateMessage {
  event: 'rotate';
  at: string;
  /** `policy` is by age. */
  reason: 'command' | 'emergency' | 'policy';
  rotations: {
    user: {
      id: string;
      name: string;
      /** Why somebody who is not `enabled` is not let in with the new secret either. */
      state: 'enabled' | 'disabled' | 'expired' | 'kept out' | 'no secret';
      tags: string[];
      note: string;
    };
    /** Id of the new secret. */
    secret: string;
    /** Of the new secret, the best first. */
    links: { mode: 'ee' | 'dd' | 'plain'; secret: string; tg: string; https: string }[];
    /** What was replaced. */
    before: {
      secret: string;
      state: 'active' | 'retiring' | 'draining' | 'revoked';
      /** End of its grace. */
      until: string | null;
    }[];
  }[];
}
