import { isIPv6 } from 'node:net';
import { dcNumber } from '../../lib/protocol/dc.ts';
import type { OpenedHeader } from '../../lib/protocol/obfuscated2.ts';
import { readProxyHeader } from '../../lib/protocol/proxy-protocol.ts';
import type { Endpoint, HandshakeResult } from '../supervisor/engine.ts';
import { admitHello, answerHello, enterReplay, transportAllowed } from './admission.ts';
import type { Conn, ConnOwner } from './conn.ts';
import { CoverRelay } from './cover-relay.ts';
import { DcDial } from './dc-dial.ts';
import { InnerHeaderReader, sealedAlert } from './inner-header.ts';
import { isLoop } from './loop-guard.ts';
import { Opening, type Opened } from './opening.ts';
import type { Plane } from './plane.ts';
import { joinDc, type Relay } from './relay.ts';
import { Ticket } from './ticket.ts';
import type { UserEntry } from './user-set.ts';
import { TICK_MS, type Timed } from './wheel.ts';

/** A client that has said nothing conclusive for this long is shown to the cover, whose own time-outs then apply. */
const ATTACH_MS = 250;
/** After one side's FIN nothing moving for this long is the end. */
const HALF_CLOSED_MS = 60_000;
/** How often an open session is looked at; one that was idle that long holds no ciphers. */
const REST_MS = 30_000;
type Phase = 'proxy-header' | 'opening' | 'header' | 'dialing' | 'relay' | 'cover' | 'over';

/** One client connection from accept to close: whose it is, where it goes, and what it may cost. */
export class Session implements ConnOwner, Timed {
  due = -1;
  bucket = 0;
  readonly #plane: Plane;
  readonly #forget: (session: Session) => void;
  #conn: Conn | null = null;
  #phase: Phase = 'opening';
  #peer: Endpoint = { host: '', port: 0 };
  #ticket: Ticket | null = null;
  #reported = false;
  #opening: Opening | null = null;
  #cover: CoverRelay | null = null;
  /** Bytes of the opening that the cover has been given. */
  #shown = 0;
  #inner: InnerHeaderReader | null = null;
  /** What has come of a PROXY header. */
  #preface: Buffer = Buffer.alloc(0);
  #dial: DcDial | null = null;
  #upstream: Conn | null = null;
  #relay: Relay | null = null;
  #deadline = 0;
  /** Wheel tick of the last byte in either direction. */
  #lastActive = 0;

  constructor(plane: Plane, forget: (session: Session) => void) {
    this.#plane = plane;
    this.#forget = forget;
  }

  /** The socket is there: find out who it is and wait for the first bytes. */
  accepted(conn: Conn): void {
    this.#conn = conn;
    this.#plane.counters.add('accepted', 1);
    this.#plane.gauges.add('sessions', 1);
    const { remoteAddress, remotePort } = conn.socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      conn.destroy();
      return;
    }
    conn.socket.setNoDelay(true);
    this.#peer = { host: plainAddress(remoteAddress), port: remotePort };
    const trusted = this.#plane.trusted?.check(this.#peer.host, isIPv6(this.#peer.host) ? 'ipv6' : 'ipv4') === true;
    const { handshakeMs } = this.#plane.settings.limits;
    this.#deadline = this.#plane.wheel.now + this.#plane.wheel.ticks(handshakeMs);
    if (trusted) {
      this.#phase = 'proxy-header';
      this.#plane.wheel.schedule(this, handshakeMs);
    } else {
      this.#begin();
    }
  }

  /** The peer's address is known: count it and listen to what it says. */
  #begin(): void {
    const { settings, wheel } = this.#plane;
    this.#phase = 'opening';
    const ticket = new Ticket(this.#plane, this.#peer.host);
    this.#ticket = ticket;
    this.#opening = new Opening(this.#plane, ticket.lastUser, (opened) => this.#opened(opened));
    wheel.schedule(this, Math.min(ATTACH_MS, settings.limits.handshakeMs));
  }

  onData(conn: Conn, data: Buffer): void {
    this.#lastActive = this.#plane.wheel.now;
    try {
      if (conn === this.#conn) this.#fromClient(data);
      else if (conn === this.#upstream) this.#relay?.down(data);
    } catch (error) {
      // One session's fault must not take the worker's other sessions along.
      this.#plane.counters.add('faults', 1);
      this.#plane.event('error', 'session_fault', { message: error instanceof Error ? error.message : String(error) });
      this.destroy();
    }
  }

  #fromClient(data: Buffer): void {
    switch (this.#phase) {
      case 'relay':
        if (this.#relay?.up(data) === false) this.destroy();
        return;
      case 'opening':
        this.#fromStranger(data);
        return;
      case 'header':
        this.#readHeader(data);
        return;
      case 'cover':
        this.#cover?.send(data);
        return;
      case 'proxy-header':
        this.#readProxyHeader(data);
        return;
      case 'dialing':
      case 'over':
        return;
    }
  }

  #readProxyHeader(data: Buffer): void {
    this.#preface = Buffer.concat([this.#preface, data]);
    const header = readProxyHeader(this.#preface);
    if (header.state === 'incomplete') return;
    if (header.state === 'invalid') {
      this.#report('garbage');
      this.#plane.event('warn', 'proxy_header_missing', {});
      this.destroy();
      return;
    }
    if (header.peer !== null) this.#peer = header.peer;
    const rest = Buffer.from(this.#preface.subarray(header.consumed));
    this.#begin();
    if (rest.length > 0) this.#fromStranger(rest);
  }

  #fromStranger(data: Buffer): void {
    if (this.#ticket?.limited === true) {
      this.#opening?.hold(data);
      this.#toCover('limit');
      return;
    }
    this.#opening?.push(data);
    // The cover has been listening in since the client stalled; what did not settle the matter goes there too.
    if (this.#phase === 'opening') this.#showCover();
  }

  #opened(opened: Opened): void {
    if (this.#phase !== 'opening') return;
    if (opened.kind === 'refused') {
      this.#toCover(opened.reason);
      return;
    }
    const held = this.#opening?.held ?? Buffer.alloc(0);
    if (opened.kind === 'hello') {
      const admitted = admitHello(this.#plane, opened, unixSeconds());
      if (typeof admitted === 'string') {
        this.#toCover(admitted);
        return;
      }
      this.#authenticated(opened.user);
      this.#phase = 'header';
      this.#inner = new InnerHeaderReader(opened.user.key);
      this.#conn?.write(answerHello(this.#plane, opened, admitted.cipher));
      const rest = Buffer.from(held.subarray(opened.consumed));
      if (rest.length > 0) this.#readHeader(rest);
      return;
    }
    const { header, user, digest } = opened;
    if (!user.enabled || !transportAllowed(this.#plane.settings, false, header.transport)) {
      this.#toCover(user.enabled ? 'bad_tag' : 'disabled');
      return;
    }
    if (!enterReplay(this.#plane, digest, unixSeconds())) {
      this.#toCover('replay');
      return;
    }
    this.#authenticated(user);
    this.#dialDc(header, Buffer.from(held.subarray(opened.consumed)));
  }

  #authenticated(user: UserEntry): void {
    this.#ticket?.remember(user.slot);
    this.#cover?.clientClosed(null);
    this.#cover = null;
    this.#opening = null;
    this.#plane.wheel.schedule(this, this.#plane.settings.limits.handshakeMs);
  }

  #readHeader(data: Buffer): void {
    const read = this.#inner?.push(data) ?? 'invalid';
    if (read === 'incomplete') return;
    if (read === 'invalid' || !transportAllowed(this.#plane.settings, true, read.header.transport)) {
      this.#refuseInside('bad_tag');
      return;
    }
    this.#dialDc(read.header, read.rest);
  }

  /** Too late for the cover: leave as a TLS server that could not decrypt a record does. */
  #refuseInside(reason: HandshakeResult): void {
    this.#report(reason);
    const conn = this.#conn;
    this.#phase = 'over';
    if (conn === null) return;
    if (this.#inner !== null) conn.write(sealedAlert());
    conn.socket.destroySoon();
  }

  #dialDc(header: OpenedHeader, rest: Buffer): void {
    const { dcs, fallbackDc } = this.#plane.settings.telegram;
    const endpoints = dcs[dcNumber(header.dc)] ?? (fallbackDc === null ? undefined : dcs[fallbackDc]);
    if (endpoints === undefined) {
      this.#refuseInside('unknown_dc');
      return;
    }
    this.#phase = 'dialing';
    this.#conn?.pause();
    this.#plane.wheel.cancel(this);
    this.#dial = new DcDial(this.#plane, endpoints, (upstream) => {
      this.#dial = null;
      if (upstream === null) this.#refuseInside('dc_unreachable');
      else this.#join(upstream, header, rest);
    });
  }

  /** Both sides are there: introduce ourselves to the DC and let the bytes pass. */
  #join(upstream: Conn, header: OpenedHeader, rest: Buffer): void {
    const client = this.#conn;
    if (client === null || client.closed) {
      upstream.destroy();
      return;
    }
    const { settings, gauges, wheel } = this.#plane;
    upstream.owner = this;
    this.#upstream = upstream;
    this.#phase = 'relay';
    this.#report('ok');
    gauges.add('relayed', 1);
    this.#lastActive = wheel.now;
    wheel.schedule(this, Math.min(settings.limits.idleMs, REST_MS));
    this.#relay = joinDc(this.#plane, { client, upstream, header, records: this.#inner?.records ?? null, rest });
  }

  /** Hand the connection to the cover for good, with every byte so far. */
  #toCover(reason: HandshakeResult): void {
    this.#report(reason);
    this.#opening?.close();
    this.#phase = 'cover';
    this.#lastActive = this.#plane.wheel.now;
    this.#conn?.relay();
    this.#plane.wheel.schedule(this, Math.min(this.#plane.settings.cover.idleMs, REST_MS));
    if (this.#cover === null) this.#attachCover();
    else this.#showCover();
  }

  /** Send the cover what it has not seen of the opening. */
  #showCover(): void {
    const held = this.#opening?.held ?? Buffer.alloc(0);
    if (this.#cover === null || this.#shown === held.length) return;
    const unseen = held.subarray(this.#shown);
    this.#shown = held.length;
    this.#cover.send(unseen);
  }

  #attachCover(): void {
    const conn = this.#conn;
    if (conn === null || conn.closed) return;
    const opening = this.#opening?.held ?? Buffer.alloc(0);
    this.#shown = opening.length;
    if (isLoop(this.#plane.loops, opening, this.#peer.host)) {
      this.#plane.event('warn', 'cover_loop', {});
      this.#reported = false;
      this.#report('loop');
      conn.reset();
      return;
    }
    const { localAddress, localPort } = conn.socket;
    const local = { host: plainAddress(localAddress ?? ''), port: localPort ?? 0 };
    this.#cover = new CoverRelay(this.#plane, { conn, peer: this.#peer, local }, opening, {
      onSpoken: () => {
        if (this.#phase === 'opening') this.#toCover(this.#opening?.held.length === 0 ? 'silent' : 'timeout');
        this.#lastActive = this.#plane.wheel.now;
      },
      onUnavailable: (why) => this.#coverUnavailable(why),
      onClosed: (error) => closeLike(conn, error),
    });
    this.#cover.start();
  }

  /** Without a cover: a client that may still turn out to be one of ours waits on; all others meet a reset. */
  #coverUnavailable(why: string): void {
    this.#cover = null;
    this.#plane.event('warn', 'cover_unavailable', { why });
    if (this.#phase === 'opening') this.#conn?.resume();
    else this.#conn?.reset();
  }

  onEnd(conn: Conn): void {
    if (conn === this.#upstream) {
      this.#conn?.end();
      return;
    }
    switch (this.#phase) {
      case 'relay':
        this.#upstream?.end();
        return;
      case 'cover':
        this.#cover?.clientEnded();
        return;
      case 'opening':
        if (this.#opening?.held.length === 0 && this.#cover === null) {
          this.#report('silent');
          conn.end();
          return;
        }
        // Over without a proof: how a server answers that is the cover's to say.
        this.#toCover('aborted');
        this.#cover?.clientEnded();
        return;
      case 'proxy-header':
      case 'header':
      case 'dialing':
      case 'over':
        conn.destroy();
    }
  }

  onDrain(conn: Conn): void {
    if (conn === this.#upstream) this.#conn?.resume();
    else if (this.#upstream !== null) this.#upstream.resume();
    else this.#cover?.clientDrained();
  }

  onClose(conn: Conn, error: string | null): void {
    if (conn === this.#upstream) {
      const client = this.#conn;
      if (client !== null) closeLike(client, error);
      return;
    }
    const { gauges, wheel } = this.#plane;
    if (this.#phase !== 'over') this.#report('aborted');
    if (this.#relay !== null) gauges.add('relayed', -1);
    this.#phase = 'over';
    this.#opening?.close();
    this.#dial?.cancel();
    this.#cover?.clientClosed(error);
    if (this.#upstream?.closed === false) closeLike(this.#upstream, error);
    wheel.cancel(this);
    gauges.add('sessions', -1);
    this.#ticket?.release();
    this.#forget(this);
  }

  /** A deadline of the wheel: which one follows from the phase. */
  expire(): void {
    const { settings, wheel } = this.#plane;
    switch (this.#phase) {
      case 'opening':
        this.#stalled();
        return;
      case 'proxy-header':
      case 'header':
        this.#report('timeout');
        this.destroy();
        return;
      case 'relay':
        this.#idle(settings.limits.idleMs);
        return;
      case 'cover':
        this.#idle(settings.cover.idleMs);
        return;
      case 'dialing':
      case 'over':
        wheel.cancel(this);
    }
  }

  /** Nothing conclusive yet: let the cover listen in, and at the deadline have the connection. */
  #stalled(): void {
    const { wheel } = this.#plane;
    const left = this.#deadline - wheel.now;
    if (left > 0) {
      wheel.schedule(this, left * TICK_MS);
      if (this.#cover === null) this.#attachCover();
      return;
    }
    this.#toCover(this.#opening?.held.length === 0 ? 'silent' : 'timeout');
  }

  /** Close a connection on which nothing has moved for `ms`; drop its ciphers well before. */
  #idle(ms: number): void {
    const { wheel } = this.#plane;
    const quiet = (wheel.now - this.#lastActive) * TICK_MS;
    // A side that has said FIN is often gone altogether, so less is waited for then.
    const limit = this.#halfClosed() ? Math.min(ms, HALF_CLOSED_MS) : ms;
    if (quiet >= limit) {
      this.destroy();
      return;
    }
    if (quiet >= REST_MS) this.#relay?.rest();
    wheel.schedule(this, Math.min(limit - quiet, REST_MS));
  }

  #halfClosed(): boolean {
    return this.#conn?.ended === true || this.#upstream?.ended === true;
  }

  /** Close both sides now. */
  destroy(): void {
    this.#conn?.destroy();
  }

  /** Whether ending the worker would cut somebody off. */
  get inUse(): boolean {
    return this.#phase !== 'opening' || (this.#opening?.held.length ?? 0) > 0;
  }

  #report(result: HandshakeResult): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#plane.counters.result(result);
  }
}

/** Close a side as the other was closed: in order after what is queued, or by reset. */
function closeLike(conn: Conn, error: string | null): void {
  if (error === null) conn.socket.destroySoon();
  else conn.reset();
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** An IPv4 address that came over a dual-stack socket, as IPv4. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
