import net from 'node:net';
import { Conn, type ConnOwner, type Onread } from './conn.ts';

/** Connect to `target` with the worker's read buffer. */
export function dial(owner: ConnOwner, target: net.NetConnectOpts): Conn {
  const open = (onread: Onread): net.Socket =>
    net.connect({ ...target, onread, allowHalfOpen: true, autoSelectFamily: false } as net.NetConnectOpts);
  const conn = new Conn(open, 'path' in target);
  conn.owner = owner;
  return conn;
}
