import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Handshakes by which the daemon proves access are no use of a secret: they must not make anybody look seen, nor cost a quota.
 * They carry a mark in the session id of the hello, 32 bytes that only daemon and engine can make, and for one secret only: a
 * cover that is shown one learns nothing of use.
 */
export function ownMark(ownKey: Uint8Array, secret: Uint8Array): Buffer {
  return createHmac('sha256', ownKey).update(secret).digest();
}

export function isOwnMark(sessionId: Uint8Array, ownKey: Uint8Array, secret: Uint8Array): boolean {
  return sessionId.length === 32 && timingSafeEqual(sessionId, ownMark(ownKey, secret));
}
