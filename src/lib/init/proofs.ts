import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { claimConnection, getStatus, reloadDaemon } from '../control/client.ts';
import type { ProbeEdges } from '../probe/dc.ts';
import { probeHandshake } from '../probe/handshake.ts';
import { type ProbeTarget, reasonOf } from '../probe/wire.ts';
import { findUserName } from '../system/accounts.ts';
import type { Paths } from '../system/paths.ts';
import { loadUser } from '../users/load.ts';
import { requireSecret } from '../users/user.ts';
import type { Answers } from './plan.ts';
import { compareViews, viewAsStranger } from './stranger.ts';

/** Something that was looked at after the installation. */
export interface InitProof {
  id: 'service' | 'revision' | 'handshake' | 'stranger';
  title: string;
  ok: boolean;
  detail: string;
  ms: number;
}

/** Look at the running proxy as an operator, a client and a stranger would. */
export async function proveInstallation(
  paths: Paths,
  { user: name, domain, port }: Answers,
  cover: ProbeTarget,
  edges: ProbeEdges,
): Promise<InitProof[]> {
  const proxy = { host: '127.0.0.1', port };
  const { user } = await loadUser(paths, name);
  const key = Buffer.from(requireSecret(user).key, 'hex');
  const own = {
    ...edges,
    connected: async (from: { host: string; port: number }) => void (await claimConnection(paths, from)),
  };
  return [
    await prove('service', 'service', edges, async () => {
      const status = await getStatus(paths);
      if (status?.engine.state !== 'running') return { ok: false, detail: 'it does not run' };
      return { ok: true, detail: `runs as ${await describeProcess(status.pid)}` };
    }),
    await prove('revision', 'configuration', edges, async () => {
      const reply = await reloadDaemon(paths);
      const restart = reply?.restartNeeded ?? [];
      const ok = reply !== undefined && restart.length === 0;
      const detail = ok
        ? `revision ${reply.revision.slice(0, 8)} is what the engine serves`
        : `not in force: ${restart.join(', ')}`;
      return { ok, detail };
    }),
    await prove('handshake', `handshake as ${name}`, edges, async () => {
      const { ok, detail, ms } = await probeHandshake(proxy, { mode: 'ee', key, domain }, own);
      return { ok, detail: `${detail} (${Math.round(ms)} ms)` };
    }),
    await prove('stranger', 'wrong secret', edges, async () => {
      const wrong = await probeHandshake(proxy, { mode: 'ee', key: randomBytes(16), domain }, own);
      if (wrong.ok || wrong.layer !== 'tls') return { ok: false, detail: `it is not shown a website: ${wrong.detail}` };
      const shown = await viewAsStranger(proxy, domain, edges.timeoutMs);
      const direct = await viewAsStranger(cover, domain, edges.timeoutMs);
      return compareViews(shown, direct, await viewAsStranger(cover, domain, edges.timeoutMs));
    }),
  ];
}

async function prove(
  id: InitProof['id'],
  title: string,
  { now }: ProbeEdges,
  look: () => Promise<{ ok: boolean; detail: string }>,
): Promise<InitProof> {
  const from = now();
  const seen = await look().catch((error: unknown) => ({ ok: false, detail: reasonOf(error) }));
  return { id, title, ...seen, ms: Math.round(now() - from) };
}

/** Who runs a process, and with which capabilities. */
async function describeProcess(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const capabilities = Number.parseInt(field('CapEff'), 16);
  const uid = Number(field('Uid'));
  return `${(await findUserName(uid)) ?? `user ${uid}`}, process ${pid}, with ${describePower(capabilities)}`;
}

const NET_BIND_SERVICE = 0x400;

function describePower(capabilities: number): string {
  if (capabilities === 0) return 'no capability';
  return capabilities === NET_BIND_SERVICE
    ? 'no right but to low ports'
    : `capabilities 0x${capabilities.toString(16)}`;
}
