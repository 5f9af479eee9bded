import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { listen, type Peer } from '../lib/probe/servers.ts';

/** A web server on loopback that gives lists away. */
export interface ListServer extends Peer {
  url: string;
  /** The certificate that it has, as one to trust. */
  ca: string;
  /** What it answers; to be replaced. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  /** What it was asked, the newest last. */
  asked: IncomingMessage[];
}

export async function listServer(): Promise<ListServer> {
  const { key, cert } = certificate();
  const server = https.createServer({ key, cert }, (request, response) => {
    made.asked.push(request);
    made.answer(request, response);
  });
  const peer = await listen(server);
  const made: ListServer = {
    ...peer,
    url: `https://127.0.0.1:${peer.port}/list.netset`,
    ca: cert,
    answer: (_, response) => response.end('192.0.2.0/24\n'),
    asked: [],
  };
  return made;
}

function certificate(): { key: string; cert: string } {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'mtp-list-'));
  try {
    const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=lists.test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...ec, '-days', '2', ...subject], { stdio: 'ignore' });
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
