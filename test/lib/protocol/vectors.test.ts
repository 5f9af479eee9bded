import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { authenticate, collectHello, type Hello, readHello } from '../../../src/lib/protocol/client-hello.ts';
import { makeHeader, openHeader } from '../../../src/lib/protocol/obfuscated2.ts';
import { FLIGHT_BUFFER, MLKEM_CIPHERTEXT, serverFlight } from '../../../src/lib/protocol/server-flight.ts';
import { bothWays } from '../../support/accelerator.ts';

interface Vectors {
  secret: string;
  obf2: Record<string, string>[];
  faketls: (Record<string, string> & { ts: number; appdata_len: number; client_hello_len: number })[];
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors.json', import.meta.url), 'utf8'),
) as unknown as Vectors;
const secret = Buffer.from(vectors.secret, 'hex');
const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex');
const TRANSPORTS = { dddddddd: 'padded', eeeeeeee: 'intermediate', efefefef: 'abridged' } as const;

function helloOf(bytes: Buffer): Hello {
  const collected = collectHello(bytes);
  const hello = collected.state === 'complete' ? readHello(collected.record) : null;
  if (hello === null) throw new Error('not a hello');
  return hello;
}

/** The byte source of the vectors: SHA256(label || counter) concatenated. */
function prg(label: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(at);
    return createHash('sha256').update(label).update(counter).digest();
  });
  return Buffer.concat(blocks).subarray(0, length);
}

bothWays(() => {
  describe.each(vectors.obf2)('obfuscated2, $name', (vector) => {
    test('the header opens with its secret and the frames pass both ways', () => {
      const opened = openHeader(hex(vector.wire64), secret);
      expect(opened).toMatchObject({
        transport: TRANSPORTS[vector.tag as keyof typeof TRANSPORTS],
        dc: Number(vector.dc),
      });
      expect(opened?.downKeyIv.toString('hex')).toBe(`${vector.p2c_key}${vector.p2c_iv}`);
      expect(opened?.up.apply(hex(vector.up_frame_wire)).toString('hex')).toBe(vector.up_frame_plain);
      expect(opened?.down.apply(hex(vector.down_frame_plain)).toString('hex')).toBe(vector.down_frame_wire);
    });

    test('no other secret opens it', () => {
      for (let bit = 0; bit < 128; bit++) {
        const other = Buffer.from(secret);
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(openHeader(hex(vector.wire64), other)).toBeNull();
      }
    });

    test('the fast header towards the DC aligns its answers with the client', () => {
      const opened = openHeader(hex(vector.wire64), secret);
      if (opened === null) throw new Error('not opened');
      const made = makeHeader({
        transport: opened.transport,
        dc: hex(vector.fast_dc_random64).readInt16LE(60),
        random: () => hex(vector.fast_dc_random64),
        secret: null,
        downKeyIv: opened.downKeyIv,
      });
      expect(made.wire.toString('hex')).toBe(vector.fast_dc_wire64);
      expect(made.up.apply(hex(vector.up_frame_plain)).toString('hex')).toBe(vector.fast_dc_up_frame_wire);
      expect(made.down.apply(hex(vector.down_frame_plain)).toString('hex')).toBe(vector.down_frame_wire);
    });
  });
});

describe.each(vectors.faketls)('fake-TLS, $name', (vector) => {
  const bytes = hex(vector.client_hello);

  test('the hello authenticates and tells its time, random and session id', () => {
    const hello = helloOf(bytes);
    expect(bytes).toHaveLength(vector.client_hello_len);
    expect(hello.random.toString('hex')).toBe(vector.client_random);
    expect(hello.sessionId.toString('hex')).toBe(vector.session_id);
    expect(hello.sni).toBe('example.com');
    expect(authenticate(hello, secret)).toBe(vector.ts);
  });

  test('a hello with any byte changed is refused, except for the time that its last random bytes carry', () => {
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x40;
      const collected = collectHello(changed);
      const hello = collected.state === 'complete' ? readHello(collected.record) : null;
      const time = hello === null ? null : authenticate(hello, secret);
      if (at >= 39 && at < 43) expect(time).not.toBe(vector.ts);
      else expect(time, `byte ${at}`).toBeNull();
    }
  });

  test('the answer is the one of the vector', () => {
    const record = hex(vector.server_hello_record);
    const postQuantum = record.length > 1000;
    const share = record.length - 32;
    const parts = {
      hello: helloOf(bytes),
      key: secret,
      cipher: 0x1301,
      x25519: hex(vector.x25519_pub),
      mlkem: postQuantum ? record.subarray(share - MLKEM_CIPHERTEXT, share) : null,
      body: prg(vector.appdata_label ?? '', vector.appdata_len),
    };
    const flight = serverFlight(parts, Buffer.alloc(FLIGHT_BUFFER));
    expect(flight.subarray(11, 43).toString('hex')).toBe(vector.server_random);
    expect(flight.subarray(0, record.length).equals(record)).toBe(true);
    expect(createHash('sha256').update(flight).digest('hex')).toBe(vector.server_response_sha256);
  });

  test('the hello in two records, as the vector has it, is the same hello', () => {
    const message = bytes.subarray(5);
    const inRecords = (cut: number): Buffer =>
      Buffer.concat(
        [message.subarray(0, cut), message.subarray(cut)].map((part) =>
          Buffer.concat([Buffer.from([0x16, 0x03, 0x01, part.length >> 8, part.length & 0xff]), part]),
        ),
      );
    const found = Array.from({ length: message.length - 1 }, (_, at) => inRecords(at + 1)).find(
      (split) => createHash('sha256').update(split).digest('hex') === vector.fragmented_two_records_sha256,
    );
    expect(found).toBeDefined();
    const hello = helloOf(found ?? Buffer.alloc(0));
    expect(hello.record.equals(bytes)).toBe(true);
    expect(authenticate(hello, secret)).toBe(vector.ts);
  });
});
