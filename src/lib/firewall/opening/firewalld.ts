import type { Exec } from '../../system/exec.ts';
import { NOTHING, type Opening } from './opening.ts';

/** What firewalld answers about the ports. It keeps no mark of an owner, so that opening them is left to the operator. */
export async function firewalldOpening(exec: Exec, ports: readonly number[]): Promise<Opening> {
  const answers = await Promise.all(
    ports.map(async (port) => {
      const asked = await Promise.all([
        exec('firewall-cmd', [`--query-port=${port}/tcp`]),
        ...(port === 443 ? [exec('firewall-cmd', ['--query-service=https'])] : []),
      ]);
      return { port, isOpen: asked.some(({ status }) => status === 0) };
    }),
  );
  const closed = answers.filter(({ isOpen }) => !isOpen).map(({ port }) => port);
  return {
    manager: 'firewalld',
    where: 'firewalld',
    isOpen: closed.length === 0,
    isMarked: false,
    steps: closed.flatMap((port) => [
      `firewalld is asked by you: firewall-cmd --permanent --add-port=${port}/tcp && firewall-cmd --reload`,
    ]),
    put: NOTHING,
    restore: NOTHING,
    boot: NOTHING,
    close: NOTHING,
  };
}
