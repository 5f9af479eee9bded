import { Flags } from '@oclif/core';
import type { FirewallEdges } from '../firewall/world.ts';
import { exec } from '../system/exec.ts';

/** Flags of the firewall commands that look at the whole machine. */
export const firewallFlags = {
  backend: Flags.option({ options: ['auto', 'nftables', 'iptables', 'ufw'] as const })({
    summary:
      'What the limits are made with; else firewall.backend. ufw asks that an active ufw is there to open the port.',
  }),
  prefix: Flags.directory({ default: '/', hidden: true, summary: 'Root of the file system to write units to.' }),
};

/** This machine, as the firewall commands see it. */
export function firewallEdges(flags: { backend?: FirewallEdges['backend'] }): FirewallEdges {
  return { exec, env: process.env, isRoot: process.getuid?.() === 0, backend: flags.backend };
}
