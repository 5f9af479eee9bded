import net, { type AddressInfo } from 'node:net';

/** A SOCKS5 server that takes any login, and connects to IPv4 addresses. */
export interface Socks5 {
  host: string;
  port: number;
  /** Everything that was sent before a connection stood, in hex. */
  asked: string[];
  close: () => Promise<void>;
}

const CONNECTED = Buffer.from('05000001000000000000', 'hex');

export async function startSocks5(): Promise<Socks5> {
  const asked: string[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const replies = [Buffer.from([5, 2]), Buffer.from([1, 0])];
    socket.on('data', function onData(chunk: Buffer) {
      asked.push(chunk.toString('hex'));
      const reply = replies.shift();
      if (reply !== undefined) {
        socket.write(reply);
        return;
      }
      socket.off('data', onData);
      const onward = net.connect(chunk.readUInt16BE(8), chunk.subarray(4, 8).join('.'), () => {
        socket.write(CONNECTED);
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: '127.0.0.1', port, asked, close };
}
