import { randomBytes } from 'node:crypto';
import type { Random } from '../fuzz/random.ts';
import { connectEe, makeHello, Peer, type Session, type Target } from '../support/raw-client.ts';

/** What clients of a soak do. Each resolves when it has left; a client that does not get its bytes is a fault. */

export interface Tally {
  /** Payload bytes handed to the proxy, and bytes that came back as they were sent. */
  sent: number;
  echoed: number;
  sessions: number;
  refused: number;
  faults: string[];
}

export interface World {
  target: Target;
  key: Buffer;
  tally: Tally;
}

type Act = (world: World, random: Random) => Promise<void>;

/** Data centres by what they are good for; upstreams.ts and soak.ts agree on the numbers. */
const STEADY = [1, 2, -2];
const MOODY = 3;
const ABSENT = 4;

const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function enter(world: World, dc: number): Promise<Session | null> {
  const session = await connectEe(world.target, { key: world.key, dc });
  if (session === null) world.tally.faults.push('a client was refused');
  else world.tally.sessions += 1;
  return session;
}

function send(world: World, session: Session, data: Buffer, random: Random): void {
  for (let at = 0; at < data.length;) {
    const size = 1 + random.below(data.length);
    session.send(data.subarray(at, at + size), 1 + random.below(16_384));
    at += size;
  }
  world.tally.sent += data.length;
}

async function expectBack(world: World, session: Session, data: Buffer): Promise<void> {
  const back = await session.read(data.length, 20_000);
  if (back?.equals(data) === true) world.tally.echoed += data.length;
  else
    world.tally.faults.push(
      `of ${data.length} bytes ${session.plain.length} came back, ${session.peer.ended ?? 'open'}`,
    );
}

const sizeOf = (random: Random): number => 1 + random.below(random.oneIn(4) ? 256 * 1024 : 8192);

/** Messages to and fro with pauses, now and then without reading for a while. */
const talk: Act = async (world, random) => {
  const session = await enter(world, random.pick(STEADY));
  if (session === null) return;
  for (let turn = 1 + random.below(6); turn > 0; turn--) {
    const data = randomBytes(sizeOf(random));
    if (random.oneIn(4)) {
      session.peer.socket.pause();
      setTimeout(() => session.peer.socket.resume(), random.below(1500));
    }
    send(world, session, data, random);
    await expectBack(world, session, data);
    await pause(random.below(400));
  }
  if (random.oneIn(2)) session.peer.close();
  else session.peer.socket.resetAndDestroy();
};

/** FIN behind the last byte: all that was sent still comes back. */
const halfClose: Act = async (world, random) => {
  const session = await enter(world, random.pick(STEADY));
  if (session === null) return;
  const data = randomBytes(sizeOf(random));
  send(world, session, data, random);
  await expectBack(world, session, data);
  session.peer.socket.end();
  if ((await session.peer.end()) !== 'fin')
    world.tally.faults.push(`FIN was answered with ${session.peer.ended ?? 'nothing'}`);
  session.peer.close();
};

/** Gone in the middle of a transfer. */
const vanish: Act = async (world, random) => {
  const session = await enter(world, random.pick(STEADY));
  if (session === null) return;
  send(world, session, randomBytes(sizeOf(random)), random);
  await pause(random.below(30));
  if (random.oneIn(2)) session.peer.close();
  else session.peer.socket.resetAndDestroy();
};

/** What is left of a refusal inside the handshake when it is taken for a record: sealedAlert() has this many bytes. */
const ALERT_BYTES = 19;

/** A data centre that may do anything: what comes back is the beginning of what was sent. */
const gamble: Act = async (world, random) => {
  const session = await enter(world, MOODY);
  if (session === null) return;
  // More than an alert, which would otherwise be taken for an echo that is wrong.
  const data = randomBytes(ALERT_BYTES + sizeOf(random));
  send(world, session, data, random);
  const got = (await session.read(data.length, 3000)) ?? session.plain;
  if (got.equals(data.subarray(0, got.length))) world.tally.echoed += got.length;
  else if (got.length !== ALERT_BYTES) world.tally.faults.push('other bytes came back');
  session.peer.close();
};

/** A data centre where nobody listens: the session is refused inside its handshake. */
const nobody: Act = async (world) => {
  const session = await enter(world, ABSENT);
  await session?.peer.end();
  session?.peer.close();
};

/** No secret, or none that is known: whatever it is, it ends. */
const stranger: Act = async (world, random) => {
  const peer = await Peer.open(world.target);
  const noise = [
    makeHello({ key: randomBytes(16) }),
    random.bytes(1 + random.below(3000)),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ];
  peer.send(random.pick(noise));
  world.tally.refused += 1;
  if ((await peer.end()) === null) world.tally.faults.push('a stranger was kept');
  peer.close();
};

/** Half a hello, and then nothing, or gone. */
const dawdle: Act = async (world, random) => {
  const peer = await Peer.open(world.target);
  const hello = makeHello({ key: world.key });
  peer.send(hello.subarray(0, random.below(hello.length - 1)));
  await peer.end(random.below(2000));
  world.tally.refused += 1;
  if (random.oneIn(2)) peer.close();
  else peer.socket.resetAndDestroy();
};

const ACTS: readonly Act[] = [
  talk,
  talk,
  talk,
  talk,
  halfClose,
  vanish,
  gamble,
  gamble,
  nobody,
  stranger,
  stranger,
  dawdle,
];

/** One client after another until the time is over. */
export async function comeAndGo(world: World, random: Random, until: number): Promise<void> {
  while (Date.now() < until) {
    await random
      .pick(ACTS)(world, random)
      .catch((error: unknown) => world.tally.faults.push(String(error)));
    await pause(random.below(300));
  }
}
