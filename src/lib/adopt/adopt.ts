import { type Applied, applyEdits } from '../config/apply.ts';
import { acceptModes } from '../secret/accept.ts';
import type { SecretMode } from '../secret/secret.ts';
import { weakness } from '../secret/weak.ts';
import type { Paths } from '../system/paths.ts';
import { loadUsers } from '../users/load.ts';
import { addSecret } from '../users/secrets.ts';
import { takeEffect } from '../users/take-effect.ts';
import { foldName, isUserName } from '../users/user.ts';
import type { Found } from './found.ts';

/** What becomes of one secret of the other proxy. */
interface Adoption {
  name: string;
  key: Buffer;
  /** Somebody here has it already. */
  present: boolean;
}

export interface Adopted {
  program: Found['program'];
  dryRun: boolean;
  modes: SecretMode[];
  users: { name: string; present: boolean }[];
  notes: string[];
  config: Applied;
}

/** Take over settings and secrets of another proxy; what is there already stays. A dry run only says what would be done. */
export async function adopt(
  paths: Paths,
  found: Found,
  { dryRun, env }: { dryRun: boolean; env: NodeJS.ProcessEnv },
): Promise<Adopted> {
  const adoptions = await nameThem(paths, found);
  const edits = acceptModes(found.edits, found.modes);
  // Everybody can connect before the port is ours: the settings come last.
  await applyEdits(paths, edits, { dryRun: true, env });
  if (!dryRun) {
    const added = adoptions.filter(({ present }) => !present);
    for (const { name, key } of added) await addSecret(paths, { name, key });
    if (added.length > 0) await takeEffect(paths, { done: 'the secrets are added', later: '' });
  }
  const config = await applyEdits(paths, edits, { dryRun, env });
  const weak = adoptions.flatMap(({ name, key }) => {
    const why = weakness(key);
    return why === undefined ? [] : [`the secret of ${name} is easy to guess (${why}): mtp secret rotate ${name}`];
  });
  const users = adoptions.map(({ name, present }) => ({ name, present }));
  return { program: found.program, dryRun, modes: found.modes, users, notes: [...found.notes, ...weak], config };
}

async function nameThem(paths: Paths, { secrets }: Found): Promise<Adoption[]> {
  const { users } = await loadUsers(paths);
  const owner = (key: Buffer) =>
    users.find((user) => user.secrets.some((one) => one.key === key.toString('hex')))?.name;
  const taken = new Set(users.map(({ name }) => foldName(name)));
  return secrets.map(({ name, key }) => {
    const present = owner(key);
    if (present !== undefined) return { name: present, key, present: true };
    const wished = name !== undefined && isUserName(name) ? name : 'adopted';
    const free = freeName(wished, taken);
    taken.add(foldName(free));
    return { name: free, key, present: false };
  });
}

/** The name itself, or with the first number that makes it free. */
function freeName(wished: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? wished : `${wished}-${number}`;
    if (!taken.has(foldName(name))) return name;
  }
}
