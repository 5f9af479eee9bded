import os from 'node:os';
import { loadConfig } from '../config/load.ts';
import { availableMemory } from '../system/memory.ts';
import { daemonFiles } from '../service/daemon-files.ts';
import { ownCommand } from '../system/own-command.ts';
import { usage } from '../secret/make.ts';
import { type Paths, systemPaths } from '../system/paths.ts';
import { memoryLimitMb, type TemplateOptions } from './values.ts';

const MOST_CPUS = 2;
const LEAST_MB = 128;

/** The options of this machine and its configuration, where the command line names no others. */
export async function optionsHere(
  paths: Paths,
  given: { cpus?: string | undefined; memory?: string | undefined; port?: number | undefined },
): Promise<TemplateOptions> {
  const installed = systemPaths('/');
  const { settings } = await loadConfig({ file: paths.configFile, env: process.env });
  return {
    port: given.port ?? settings.listen.port,
    cpus: given.cpus === undefined ? Math.min(MOST_CPUS, os.availableParallelism()) : cpuCount(given.cpus),
    memoryMb: given.memory === undefined ? memoryLimitMb(availableMemory().bytes) : megabytes(given.memory),
    command: ownCommand(),
    logs: installed.logs,
    pidFile: daemonFiles(installed).pid,
    domain: settings.cover.domain,
    server: settings.link.server ?? null,
  };
}

function cpuCount(text: string): number {
  const count = /^\d+(\.\d{1,2})?$/.test(text) ? Number(text) : 0;
  if (count >= 0.1 && count <= 1024) return count;
  throw usage(`--cpus takes a number from 0.1 up, not ${JSON.stringify(text.slice(0, 40))}`);
}

function megabytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,7})([MG])$/.exec(text) ?? [];
  const mb = Number(number) * (unit === 'G' ? 1024 : 1);
  if (mb >= LEAST_MB) return mb;
  throw usage(
    `--memory takes a size from ${LEAST_MB}M up, such as 512M or 1G, not ${JSON.stringify(text.slice(0, 40))}`,
  );
}
