import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type FakeDc, startFakeDc } from './fake-dc.ts';
import { startNameServer } from './name-server.ts';
import { freePort, startSite } from './site.ts';

/** All that `mtp init` talks to, on loopback, and an empty system to install into. */
export interface InitWorld {
  /** Root of that system. */
  root: string;
  port: number;
  dc: FakeDc;
  /** Arguments that point `mtp init` here; `cover.test` is a domain of ours. */
  args: string[];
  sitePort: number;
  nameServer: string;
  addressUrl: string;
  close: () => Promise<void>;
}

/** The address by which the imagined outside sees us. */
export const OUR_ADDRESS = '203.0.113.7';

export async function startInitWorld(): Promise<InitWorld> {
  const root = await mkdtemp(path.join(os.tmpdir(), 'mtp-init-'));
  const [site, dc, names] = await Promise.all([
    startSite(),
    startFakeDc(),
    startNameServer({ 'cover.test': OUR_ADDRESS, 'foreign.test': '198.51.100.1' }),
  ]);
  const outside = http.createServer((_request, response) => response.end(`${OUR_ADDRESS}\n`));
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  const addressUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/`;
  const port = await freePort();
  // The service runs as another user, who has to get through.
  await rm(root, { recursive: true });
  await mkdir(root, { mode: 0o755 });
  for (const dir of ['etc/systemd/system', 'etc/logrotate.d', 'var/lib', 'var/log', 'run']) {
    await mkdir(path.join(root, dir), { recursive: true, mode: 0o755 });
  }
  await writeFile(path.join(root, 'etc/group'), 'root:x:0:\nadm:x:4:\n');
  await writeFile(path.join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  await writeFile(path.join(root, 'etc/os-release'), 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n');
  return {
    root,
    port,
    dc,
    sitePort: site.port,
    nameServer: names.address,
    addressUrl,
    args: [
      ...['--resolver', names.address, '--address-url', addressUrl, '--port', String(port)],
      ...['--server', OUR_ADDRESS, '--cover-target', `127.0.0.1:${site.port}`],
    ],
    close: async () => {
      outside.close();
      await Promise.all([site.close(), dc.close(), names.close()]);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A configuration that is there before, as it would be after an earlier run: Telegram is our data centre. */
export async function writeEarlierConfig(dir: string, dc: FakeDc): Promise<void> {
  await mkdir(dir, { recursive: true });
  const lines = [1, 2, 3, 4, 5].map((number) => `${number} = ["127.0.0.1:${dc.port}"]`);
  await writeFile(path.join(dir, 'config.toml'), `[telegram.dc]\n${lines.join('\n')}\n`, { mode: 0o600 });
}
