import { LOG_MODE } from '../system/log-file.ts';
import type { TemplateValues } from './render.ts';

/** What the templates of an installation depend on. */
export interface TemplateOptions {
  /** Port that clients connect to. */
  port: number;
  /** Processors that the proxy may use, such as 2 or 0.5. */
  cpus: number;
  /** Memory that it may use, in MB. */
  memoryMb: number;
  /** Program and arguments that run this `mtp`. */
  command: readonly string[];
  /** Directory of log files. */
  logs: string;
  /** File with the process id of the daemon. */
  pidFile: string;
  domain: string;
  /** Server named in links; null leaves it to mtp. */
  server: string | null;
}

/** Ports below need a privilege (capabilities(7)). */
const FIRST_FREE_PORT = 1024;
const POD_PORT = 8443;

export function templateValues(options: TemplateOptions): TemplateValues {
  const { port, cpus, memoryMb, command, logs, pidFile, domain, server } = options;
  const low = port < FIRST_FREE_PORT;
  return {
    mtp: command.map(quoteForUnit).join(' '),
    port,
    podPort: POD_PORT,
    cpus,
    cpuQuota: Math.round(cpus * 100),
    memoryMb,
    logs,
    pidFile,
    logMode: LOG_MODE.toString(8).padStart(4, '0'),
    domain,
    server,
    capability: low ? 'CAP_NET_BIND_SERVICE' : null,
    boundingSet: low ? 'CAP_NET_BIND_SERVICE' : '',
    // In a user namespace of its own the capability would not count for ports of the machine.
    privateUsers: low ? null : 'yes',
    lowPortCapability: low ? 'NET_BIND_SERVICE' : null,
    lowPortStart: low ? 0 : null,
  };
}

/** A word of a command line in a unit (systemd.service(5), "Command lines"): `%` and `$` stand for themselves. */
export function quoteForUnit(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(escaped) ? `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : escaped;
}

const LEAST_MB = 256;

/** The memory that a service may use: three quarters of the machine, so that the rest of it stays usable. */
export function memoryLimitMb(memoryBytes: number): number {
  return Math.max(LEAST_MB, Math.floor((memoryBytes / 2 ** 20) * 0.75));
}
