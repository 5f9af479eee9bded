import { EXIT, MtpError } from '../errors.ts';
import type { Paths } from '../system/paths.ts';
import { csvWithSecrets } from '../users/export.ts';
import type { UserFiles } from '../users/files.ts';
import { loadUsers } from '../users/load.ts';
import { changeFleet, type Host, noteOutcome, seenOn } from './hosts.ts';
import { attempt, look, type Look, ourUsers } from './look.ts';
import { push, type Pushed, withRemote } from './remote.ts';

/** What became of a host. `kept` is written down there, but no proxy runs that could show it. */
export interface HostOutcome {
  host: string;
  state: 'done' | 'kept' | 'same' | 'unreachable' | 'failed' | 'waiting';
  /** What was seen, or why not; one sentence. */
  detail: string;
  proofs: NonNullable<Pushed['effect']>['proofs'];
}

/** Make the users of a host ours, and see that they are. */
export async function syncHost(paths: Paths & UserFiles, host: Host): Promise<HostOutcome> {
  const outcome = await attempt(async () =>
    withRemote(host, async (remote) => {
      const { users } = await loadUsers(paths);
      const pushed = await push(remote, csvWithSecrets(users), { removeOthers: true });
      const { inSync } = await look(remote, await ourUsers(paths));
      if (inSync) return pushed;
      throw new MtpError('NOT_IN_SYNC', `${host.name}: its users differ after they were written`, {
        hint: 'Look whether users were changed meanwhile, and run it again.',
      });
    }),
  );
  const told = tell(host, outcome);
  if (!(outcome instanceof MtpError)) {
    await changeFleet(paths, (fleet) => ({ ...fleet, rotations: seenOn(fleet.rotations, host.name) }));
  }
  await noteOutcome(paths, host.name, outcome instanceof MtpError ? outcome.message : null);
  return told;
}

/** What pushing came to. */
export function tell({ name }: Host, outcome: Pushed | MtpError): HostOutcome {
  if (outcome instanceof MtpError) {
    const state = outcome.code.startsWith('SSH_') ? 'unreachable' : 'failed';
    return { host: name, state, detail: outcome.message, proofs: [] };
  }
  const { effect } = outcome;
  if (effect === null) return { host: name, state: 'same', detail: 'it was so already', proofs: [] };
  const state = effect.running ? 'done' : 'kept';
  return { host: name, state, detail: effect.sentence, proofs: effect.proofs };
}

/** Outcomes for hosts that need nothing or cannot be had. */
export function tellLook({ host, error }: Look): HostOutcome {
  return error === null
    ? { host: host.name, state: 'same', detail: 'in sync', proofs: [] }
    : { host: host.name, state: 'unreachable', detail: error.message, proofs: [] };
}

/** The exit status that says how it went. */
export function exitOf(outcomes: Pick<HostOutcome, 'state'>[]): number {
  const states = new Set(outcomes.map(({ state }) => state));
  if (states.has('unreachable') || states.has('failed') || states.has('waiting')) return EXIT.failed;
  return states.has('kept') ? EXIT.warnings : EXIT.ok;
}
