import { chmod, chown, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { renderNamed } from '../../../src/lib/template/catalogue.ts';
import type { TemplateOptions } from '../../../src/lib/template/values.ts';
import { addUser } from '../../../src/lib/users/store.ts';
import { pathsIn } from '../../support/files.ts';
import {
  type ContainerWishes,
  type RunningContainer,
  runcIsPossible,
  startContainer,
} from '../../support/container.ts';

const OPTIONS: TemplateOptions = {
  port: 443,
  cpus: 1,
  memoryMb: 512,
  command: ['node', '/app/bin/run.js'],
  logs: '/var/log/mtp',
  pidFile: '/var/lib/mtp/daemon.pid',
  domain: 'www.example.org',
  server: 'proxy.example.org',
};
const ID = 10_001;

let dir: string;
let container: RunningContainer | undefined;
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-volume-'));
  await chown(dir, ID, ID);
});
afterEach(async () => {
  container?.close();
  container = undefined;
  await rm(dir, { recursive: true });
});

async function render(name: string, file: string): Promise<string> {
  return (await renderNamed(name, OPTIONS)).find((rendered) => rendered.file === file)?.text ?? '';
}

/** What the last stage of the Dockerfile says about how the image starts. */
function image(dockerfile: string): {
  environment: Record<string, string>;
  entry: string[];
  health: string[];
  uid: number;
} {
  const line = (word: string): string => new RegExp(`^${word} (.*)$`, 'm').exec(dockerfile)?.[1] ?? '';
  return {
    environment: Object.fromEntries(
      line('ENV')
        .split(' ')
        .map((pair) => pair.split('=') as [string, string]),
    ),
    entry: JSON.parse(line('ENTRYPOINT')) as string[],
    health: JSON.parse(/HEALTHCHECK .*CMD (\[.*\])/.exec(dockerfile)?.[1] ?? '[]') as string[],
    uid: Number(line('USER').split(':')[0]),
  };
}

/** The process with number 1 in the container, as proc(5) has it. */
function processOne({ exec }: RunningContainer): Record<string, string> {
  const lines = exec('cat', '/proc/1/status').stdout.split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s+/) as [string, string]));
}

const writeAt = (place: string) => ['node', '-e', `require('node:fs').writeFileSync('${place}/x', '')`];

describe.skipIf(!runcIsPossible)('started for real by runc', { timeout: 120_000 }, () => {
  interface Service {
    user: string;
    read_only: boolean;
    tmpfs: string[];
    cap_add?: string[];
    cap_drop: string[];
    security_opt: string[];
    environment: Record<string, string>;
    sysctls: Record<string, number>;
    volumes: string[];
    deploy: { resources: { limits: { cpus: string; memory: string } } };
  }

  it('the compose file: a proxy without privileges, which writes to its volume only', async () => {
    const dockerfile = await render('docker', 'Dockerfile');
    const { environment, entry, health, uid } = image(dockerfile);
    const { mtp } = (parse(await render('docker', 'compose.yaml')) as { services: { mtp: Service } }).services;
    expect(mtp.cap_drop).toEqual(['ALL']);
    expect(Number(mtp.user.split(':')[0])).toBe(uid);
    container = startContainer({
      uid,
      gid: Number(mtp.user.split(':')[1]),
      readOnly: mtp.read_only,
      capabilities: (mtp.cap_add ?? []).map((name) => `CAP_${name}`),
      noNewPrivileges: mtp.security_opt.includes('no-new-privileges:true'),
      memoryBytes: Number.parseInt(mtp.deploy.resources.limits.memory, 10) * 2 ** 20,
      cpus: Number(mtp.deploy.resources.limits.cpus),
      environment: { ...environment, ...mtp.environment },
      args: [...entry, ...(JSON.parse(/^CMD (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[])],
      sysctl: Object.fromEntries(Object.entries(mtp.sysctls).map(([key, value]) => [key, String(value)])),
      tmpfs: mtp.tmpfs.map((line) => ({
        destination: line.split(':')[0] ?? '',
        options: (line.split(':')[1] ?? '').split(','),
      })),
      binds: [{ source: dir, destination: mtp.volumes[0]?.split(':')[1] ?? '', readOnly: false }],
    });
    await container.until(...health);
    expect(processOne(container)).toMatchObject({
      Uid: `${ID}\t${ID}\t${ID}\t${ID}`,
      CapEff: '0000000000000000',
      CapBnd: '0000000000000400',
      NoNewPrivs: '1',
    });
    for (const place of ['/', '/app', '/etc', '/usr']) {
      expect(container.exec(...writeAt(place)).stderr, place).toContain('EROFS');
    }
    expect(container.exec(...writeAt('/tmp')).status).toBe(0);
    const link = container.exec(...entry, 'link', '--offline').stdout;
    expect(link).toContain('server=proxy.example.org&port=443&secret=ee');
    expect(await readdir(dir)).toContain('keyring.json');
    expect((await stat(path.join(dir, 'ledger.db'))).mode & 0o777).toBe(0o600);
    expect(container.memoryLimit()).toBe(512 * 2 ** 20);
    expect(await container.stop()).toBe(0);
  });

  interface Container {
    args?: string[];
    command?: string[];
    env?: { name: string; value: string }[];
    securityContext: {
      allowPrivilegeEscalation: boolean;
      readOnlyRootFilesystem: boolean;
      capabilities: { drop: string[]; add?: string[] };
    };
    resources: { limits: { cpu: string; memory: string } };
    volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
    livenessProbe: { exec: { command: string[] } };
  }
  interface Pod {
    securityContext: { runAsUser: number; runAsGroup: number };
    initContainers: [Container];
    containers: [Container];
  }

  it('the Kubernetes pod: users from a Secret, no capability at all', async () => {
    const { environment, entry } = image(await render('docker', 'Dockerfile'));
    const secret = await mkdtemp(path.join(os.tmpdir(), 'mtp-secret-'));
    await addUser(pathsIn(secret), { name: 'carol' });
    for (const [file, mode] of [
      ['', 0o750],
      ['ledger.db', 0o440],
      ['keyring.json', 0o440],
    ] as const) {
      await chown(path.join(secret, file), 0, ID);
      await chmod(path.join(secret, file), mode);
    }
    const [deployment] = parseAllDocuments(await render('kubernetes', 'kubernetes.yaml'));
    const pod = (deployment?.toJS() as { spec: { template: { spec: Pod } } }).spec.template.spec;
    const sources: Record<string, string> = { users: secret, state: dir };
    const wishes = ({ args, command, env, securityContext, resources, volumeMounts }: Container): ContainerWishes => ({
      uid: pod.securityContext.runAsUser,
      gid: pod.securityContext.runAsGroup,
      readOnly: securityContext.readOnlyRootFilesystem,
      capabilities: (securityContext.capabilities.add ?? []).map((name) => `CAP_${name}`),
      noNewPrivileges: !securityContext.allowPrivilegeEscalation,
      memoryBytes: Number.parseInt(resources.limits.memory, 10) * 2 ** 20,
      cpus: Number(resources.limits.cpu),
      environment: { ...environment, ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])) },
      args: command ?? [...entry, ...(args ?? [])],
      tmpfs: volumeMounts
        .filter(({ name }) => sources[name] === undefined)
        .map(({ mountPath }) => ({ destination: mountPath, options: ['mode=1777', 'size=16m'] })),
      binds: volumeMounts.flatMap(({ name, mountPath, readOnly = false }) =>
        sources[name] === undefined ? [] : [{ source: sources[name], destination: mountPath, readOnly }],
      ),
    });
    const first = startContainer(wishes(pod.initContainers[0]));
    const [status] = await new Promise<[number | null]>((resolve) =>
      first.process.once('exit', (code) => resolve([code])),
    );
    first.close();
    expect(status).toBe(0);
    container = startContainer(wishes(pod.containers[0]));
    await container.until(...pod.containers[0].livenessProbe.exec.command);
    expect(processOne(container)).toMatchObject({ CapBnd: '0000000000000000', NoNewPrivs: '1' });
    expect(container.exec(...writeAt('/app')).stderr).toContain('EROFS');
    expect(container.exec(...entry, 'link', 'carol', '--offline').stdout).toContain('port=443&secret=ee');
    expect(await container.stop()).toBe(0);
    await rm(secret, { recursive: true });
  });
});
