import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** A real website to hide behind: nginx on loopback with a certificate of its own. */

export interface Site {
  host: string;
  port: number;
  /** Size of the file `/big`. */
  bigBytes: number;
  close: () => Promise<void>;
}

const NGINX = '/usr/sbin/nginx';
export const siteIsPossible = existsSync(NGINX);

export interface SiteOptions {
  /** Seconds until a silent client is closed. */
  silenceSeconds?: number;
  /** Expect a PROXY protocol header and answer with the client's address. */
  proxyProtocol?: boolean;
  port?: number;
}

export async function startSite({ silenceSeconds = 3, proxyProtocol = false, port }: SiteOptions = {}): Promise<Site> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mtp-site-'));
  const at = port ?? (await freePort());
  const bigBytes = 3_000_000;
  await writeFile(path.join(dir, 'index.html'), '<h1>a site like any other</h1>\n');
  await writeFile(path.join(dir, 'big'), Buffer.alloc(bigBytes, 'site'));
  const subject = ['-subj', '/CN=cover.test', '-addext', 'subjectAltName=DNS:cover.test'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
  execFileSync('openssl', ['req', '-x509', ...key, '-out', 'cert.pem', '-days', '30', ...subject], {
    cwd: dir,
    stdio: 'ignore',
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/t;`);
  await writeFile(
    path.join(dir, 'nginx.conf'),
    `daemon off; pid ${dir}/pid; error_log ${dir}/error.log; worker_processes 1; user root;
events { worker_connections 1024; }
http {
  access_log off; client_header_timeout ${silenceSeconds}s; keepalive_timeout 5s; ${temporary.join(' ')}
  server {
    listen 127.0.0.1:${at} ssl http2 ${proxyProtocol ? 'proxy_protocol' : ''};
    server_name cover.test; ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3;
    root ${dir};
    location /peer { return 200 "${proxyProtocol ? '$proxy_protocol_addr' : '$remote_addr'}\\n"; }
  }
}
`,
  );
  const child = spawn(NGINX, ['-p', dir, '-e', `${dir}/error.log`, '-c', 'nginx.conf'], { stdio: 'ignore' });
  await accepting(at);
  return {
    host: '127.0.0.1',
    port: at,
    bigBytes,
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A port of loopback that nobody holds at the moment. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function accepting(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
