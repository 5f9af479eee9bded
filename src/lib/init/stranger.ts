import tls from 'node:tls';
import type { ProbeTarget } from '../probe/wire.ts';

/** What a browser without a secret is shown: the certificate, and the answer to a request for the front page. */
export interface View {
  certificate: Buffer;
  protocol: string;
  answer: Buffer;
}

/** A page is compared up to here. */
const MOST_BYTES = 256 * 1024;

/** Ask for the front page as a stranger does. Rejects where no website answers. */
export async function viewAsStranger(target: ProbeTarget, domain: string, timeoutMs: number): Promise<View> {
  return new Promise((resolve, reject) => {
    const view: View = { certificate: Buffer.alloc(0), protocol: '', answer: Buffer.alloc(0) };
    const socket = tls.connect({ ...target, servername: domain, rejectUnauthorized: false }, () => {
      view.certificate = socket.getPeerCertificate().raw;
      view.protocol = `${socket.getProtocol() ?? ''} ${socket.getCipher().name}`;
      socket.write(`GET / HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n\r\n`);
    });
    const finish = (): void => {
      socket.destroy();
      resolve(view);
    };
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk: Buffer) => {
      view.answer = Buffer.concat([view.answer, chunk]);
      if (view.answer.length > MOST_BYTES) finish();
    });
    socket.on('end', finish);
    socket.on('error', reject);
  });
}

export interface Comparison {
  ok: boolean;
  detail: string;
}

/** Compare what the proxy shows with what the website showed twice: what changes by itself proves nothing. */
export function compareViews(shown: View, direct: View, again: View): Comparison {
  if (!shown.certificate.equals(direct.certificate)) return { ok: false, detail: 'it sees another certificate' };
  if (shown.protocol !== direct.protocol) return { ok: false, detail: 'it is given another TLS version or cipher' };
  const [a, b, c] = [shown, direct, again].map(({ answer }) => withoutDate(answer));
  if (a === b) return { ok: true, detail: `sees the website, byte-equal (${shown.answer.length} bytes)` };
  if (b === c) return { ok: false, detail: 'it sees another page than the website shows' };
  return { ok: true, detail: 'sees the website: same certificate; its page changes by itself' };
}

/** The clock of the website may tick between two requests. */
function withoutDate(answer: Buffer): string {
  return answer.toString('latin1').replace(/^date: .*\r$/im, 'date:\r');
}
