import { loadConfig } from '../config/load.ts';
import { getUsage } from '../control/client.ts';
import type { Paths } from '../system/paths.ts';
import { formatSpan, plural } from '../ui/format.ts';
import type { UserFiles } from '../users/files.ts';
import type { SecretState } from '../users/user.ts';
import { type Closing, findClosing, toClose, wouldShutOut } from './close.ts';

/** What a closing would do. */
export interface ClosePlan {
  closing: Closing;
  /** None where that was done before. */
  secrets: {
    id: string;
    state: SecretState;
    /** With it at this moment; null where no proxy runs. */
    connections: number | null;
    networks: number | null;
  }[];
  /** How long those may go on, ms. */
  drainMs: number;
  /** The user has no other secret that is accepted. */
  shutsOut: boolean;
}

/** Look up which secrets are meant, and who would be cut. */
export async function planClosing(paths: Paths & UserFiles, wish: Closing): Promise<ClosePlan> {
  const { user, closing } = await findClosing(paths, wish);
  const open = toClose(user, closing);
  const usage = open.length === 0 ? undefined : await getUsage(paths);
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env });
  return {
    closing,
    secrets: open.map(({ id, state }) => {
      const row = usage?.rows.find((one) => one.id === id);
      return {
        id,
        state,
        connections: usage === undefined ? null : (row?.connections ?? 0),
        networks: usage === undefined ? null : (row?.networks ?? 0),
      };
    }),
    drainMs: closing.now ? 0 : settings.rotation.drain,
    shutsOut: wouldShutOut(user, open),
  };
}

/** What a closing would do, a line each. */
export function describeClosePlan({ closing: { name, id, now }, secrets, drainMs, shutsOut }: ClosePlan): string[] {
  if (secrets.length === 0) {
    return [
      id === undefined
        ? `The secrets of ${name} that were replaced are closed already.`
        : `The secret ${id} of ${name} is closed already.`,
    ];
  }
  const fate = now
    ? 'cut at once'
    : `left alone for ${formatSpan(drainMs)} (rotation.drain), then cut; "--now" cuts at once`;
  return [
    `This lets nobody in any more with ${plural(secrets.length, 'secret')} of ${name}; who is connected is ${fate}.`,
    ...secrets.map((secret) => `  ${secret.id}, ${secret.state}: ${describeUse(secret)}`),
    ...(shutsOut ? [`${name} has no other, and cannot connect then.`] : []),
  ];
}

function describeUse({ connections, networks }: ClosePlan['secrets'][number]): string {
  if (connections === null || networks === null) return 'no proxy runs, so nobody is connected';
  if (connections === 0) return 'nobody is connected';
  return `${plural(connections, 'connection')} from ${plural(networks, 'network')}`;
}
