import type { Script } from '../script.ts';

/** How a manager of the host lets clients in to the ports of the proxy. Only what carries our mark is ever taken away. */
export interface Opening {
  manager: 'ufw' | 'firewalld' | 'nftables' | 'iptables';
  /** Where, for the screen, such as `chain input of table inet filter`. */
  where: string;
  /** The ports are open there, and nothing of ours is left for others. */
  isOpen: boolean;
  /** Something there carries our mark. */
  isMarked: boolean;
  /** What would be done, a line each. */
  steps: string[];
  put: Script;
  /** Brings back what is there now. */
  restore: Script;
  /** What is needed again when the machine starts; none where the manager looks after that. */
  boot: Script;
  /** Takes away what carries our mark. */
  close: Script;
}

export const NOTHING: Script = { files: {}, lines: [] };

export const markOf = (port: number): string => `mtp:${port}`;
