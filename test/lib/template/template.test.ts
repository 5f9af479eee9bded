import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { renderNamed, TEMPLATES, writeNamed } from '../../../src/lib/template/catalogue.ts';
import { renderTemplate } from '../../../src/lib/template/render.ts';
import { memoryLimitMb, type TemplateOptions } from '../../../src/lib/template/values.ts';

const OPTIONS: TemplateOptions = {
  port: 443,
  cpus: 2,
  memoryMb: 1024,
  command: [process.execPath, '/opt/mtp/bin/run.js'],
  logs: '/var/log/mtp',
  pidFile: '/var/lib/mtp/daemon.pid',
  domain: 'www.example.org',
  server: 'proxy.example.org',
};
const HIGH: TemplateOptions = { ...OPTIONS, port: 8443, server: null, cpus: 0.5, memoryMb: 512 };

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-template-'));
});
afterAll(async () => rm(dir, { recursive: true }));

async function render(name: string, file: string, options: TemplateOptions): Promise<string> {
  const found = (await renderNamed(name, options)).find((rendered) => rendered.file === file);
  if (found === undefined) throw new Error(`${name} has no ${file}`);
  return found.text;
}

const golden = TEMPLATES.flatMap(({ name, files }) =>
  files.flatMap(({ target }) => [
    { name, file: target, kind: 'low', options: { ...OPTIONS, command: ['/usr/bin/node', '/opt/mtp/bin/run.js'] } },
    { name, file: target, kind: 'high', options: { ...HIGH, command: ['/opt/my node', '/opt/100%/$x/run.js'] } },
  ]),
);

test.each(golden)('$file of $name, $kind port, is as recorded', async ({ name, file, kind, options }) => {
  await expect(await render(name, file, options)).toMatchFileSnapshot(`golden/${file}.${kind}.txt`);
});

describe('rendering', () => {
  it('leaves out lines whose value is null and refuses names without a value', () => {
    expect(renderTemplate('a {{x}}\nb {{y}}\nc', { x: 1, y: null })).toBe('a 1\nc');
    expect(() => renderTemplate('{{z}}', { x: 1 })).toThrow('needs a value for z');
  });

  it.each([
    [64 * 1024 ** 3, 49_152],
    [1024 ** 3, 768],
    [200 * 1024 ** 2, 256],
  ])('leaves a quarter of %d bytes to the machine', (bytes, mb) => {
    expect(memoryLimitMb(bytes)).toBe(mb);
  });

  it('replaces no file that says something else', async () => {
    const out = path.join(dir, 'out');
    await writeNamed('docker', OPTIONS, { dir: out, force: false });
    await writeNamed('docker', OPTIONS, { dir: out, force: false });
    await writeFile(path.join(out, 'compose.yaml'), 'mine');
    await expect(writeNamed('docker', OPTIONS, { dir: out, force: false })).rejects.toThrow(/compose\.yaml is there/);
    expect(await readFile(path.join(out, 'compose.yaml'), 'utf8')).toBe('mine');
    await writeNamed('docker', OPTIONS, { dir: out, force: true });
    expect(await readFile(path.join(out, 'compose.yaml'), 'utf8')).toContain('read_only');
  });
});

describe.skipIf(!existsSync('/usr/bin/systemd-analyze'))('the unit, by systemd-analyze', () => {
  async function unit(options: TemplateOptions, change = (text: string): string => text): Promise<string> {
    const file = path.join(dir, 'mtp.service');
    await writeFile(file, change(await render('systemd', 'mtp.service', options)));
    return file;
  }
  const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
  const verify = (file: string) => analyze('verify', '--man=no', '--recursive-errors=yes', file);

  it('is clean, and a misspelt line would not be', async () => {
    expect(verify(await unit(OPTIONS))).toMatchObject({ status: 0, stderr: '' });
    expect(verify(await unit(HIGH, (text) => text.replace('Restart=', 'Restartt=')))).not.toMatchObject({ stderr: '' });
  });

  it.each([
    ['low', OPTIONS, '1.8'],
    ['high', HIGH, '1.4'],
  ])('with a %s port is exposed no more than 2.0', async (_kind, options, score) => {
    const { status, stdout } = analyze('security', '--offline=yes', '--threshold=20', await unit(options));
    expect(stdout).toContain(`exposure level for mtp.service: ${score} OK`);
    expect(status).toBe(0);
  });

  it('is held to that threshold', async () => {
    const file = await unit(OPTIONS, (text) => text.replace(/^(Protect|System|Restrict|No|Private).*\n/gm, ''));
    expect(analyze('security', '--offline=yes', '--threshold=20', file).status).toBe(1);
  });
});

interface Compose {
  services: { mtp: Record<string, unknown> };
}

describe('the compose file', () => {
  it.skipIf(!existsSync('/usr/bin/docker-compose'))('is valid for docker-compose', async () => {
    for (const options of [OPTIONS, HIGH]) {
      const file = path.join(dir, 'compose.yaml');
      await writeFile(file, await render('docker', 'compose.yaml', options));
      const env = { ...process.env, COMPOSE_PROJECT_NAME: 'mtp' };
      const config = execFileSync('docker-compose', ['-f', file, 'config'], { encoding: 'utf8', env, stdio: 'pipe' });
      expect(parse(config)).toMatchObject({ services: { mtp: { read_only: true, user: '10001:10001' } } });
      const broken = (await readFile(file, 'utf8')).replace('read_only: true', 'read_only: maybe');
      await writeFile(file, broken);
      expect(spawnSync('docker-compose', ['-f', file, 'config'], { env }).status).not.toBe(0);
    }
  });

  it('adds a capability for low ports only, and the limits that were asked for', async () => {
    const low = parse(await render('docker', 'compose.yaml', OPTIONS)) as Compose;
    const high = parse(await render('docker', 'compose.yaml', HIGH)) as Compose;
    expect(low.services.mtp).toMatchObject({
      cap_drop: ['ALL'],
      cap_add: ['NET_BIND_SERVICE'],
      security_opt: ['no-new-privileges:true'],
      deploy: { resources: { limits: { cpus: '2', memory: '1024M' } } },
    });
    expect(high.services.mtp).not.toHaveProperty('cap_add');
    expect(high.services.mtp).not.toHaveProperty('sysctls');
    expect(high.services.mtp).toMatchObject({ deploy: { resources: { limits: { cpus: '0.5', memory: '512M' } } } });
  });
});

interface Container {
  name: string;
  securityContext: object;
  resources: object;
}
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    template?: { spec: { containers: Container[]; initContainers: Container[]; volumes: { name: string }[] } };
    ports?: object[];
  };
}

describe('the Kubernetes manifests', () => {
  it('run without root, capabilities or a writable root, and are probed', async () => {
    const documents = parseAllDocuments(await render('kubernetes', 'kubernetes.yaml', OPTIONS));
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    const [deployment, service] = documents.map((document) => document.toJS() as Manifest);
    expect([deployment?.apiVersion, deployment?.kind]).toEqual(['apps/v1', 'Deployment']);
    const pod = deployment?.spec.template?.spec;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    });
    const containers = [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])];
    expect(containers.map(({ name }) => name)).toEqual(['mtp', 'users']);
    for (const container of containers) {
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { limits: { cpu: '2', memory: '1024Mi' }, requests: { memory: '128Mi' } },
      });
    }
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(pod?.containers[0]).toHaveProperty(`${probe}.exec.command`, ['node', '/app/bin/run.js', 'status']);
    }
    expect(pod?.volumes).toContainEqual({ name: 'users', secret: { secretName: 'mtp-users', defaultMode: 0o440 } });
    expect([service?.apiVersion, service?.kind]).toEqual(['v1', 'Service']);
    expect(service?.spec.ports).toEqual([{ name: 'proxy', port: 443, targetPort: 'proxy', protocol: 'TCP' }]);
  });
});
