import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ID_BYTES, parseKey, SECRET_BYTES, statusOfKey, toKeyParts, writeKey } from '../../src/domain/api-key.ts';

const KEY_CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const keys = fc
  .record({
    id: fc.uint8Array({ minLength: ID_BYTES, maxLength: ID_BYTES }),
    secret: fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES }),
  })
  .map(toKeyParts);

describe('a key', () => {
  it('is read as what it was written from', () => {
    fc.assert(
      fc.property(keys, (parts) => {
        const text = writeKey(parts);
        expect(text).toMatch(/^cpf_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
        expect(parseKey(text)).toEqual(parts);
      }),
    );
  });

  it('with any one character changed, left out, doubled or swapped with the next is none', () => {
    const character = fc.constantFrom(...KEY_CHARACTERS, '_', '-', ' ');
    fc.assert(
      fc.property(keys, fc.nat(), character, (parts, place, other) => {
        const text = writeKey(parts);
        const at = place % text.length;
        const [before, one = '', next = '', after] = [text.slice(0, at), text[at], text[at + 1], text.slice(at + 2)];
        const typos = [
          before + other + next + after,
          before + next + after,
          before + one + one + next + after,
          before + next + one + after,
        ];
        for (const typo of typos) if (typo !== text) expect(parseKey(typo), typo).toBeUndefined();
      }),
    );
  });

  it('holds all of its 256 bits: other bytes are another secret', () => {
    const bytes = fc.uint8Array({ minLength: SECRET_BYTES, maxLength: SECRET_BYTES });
    fc.assert(
      fc.property(bytes, fc.nat({ max: 255 }), (secret, bit) => {
        const id = new Uint8Array(ID_BYTES);
        const flipped = secret.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        expect(toKeyParts({ id, secret: flipped }).secret).not.toBe(toKeyParts({ id, secret }).secret);
      }),
    );
  });

  it('is another each time', () => {
    const make = () => writeKey(toKeyParts({ id: randomBytes(ID_BYTES), secret: randomBytes(SECRET_BYTES) }));
    const made = Array.from({ length: 10_000 }, make);
    expect(new Set(made.map((text) => text.slice(0, 16))).size).toBe(made.length);
  });

  it('has the checksum that scanners for secrets compute', () => {
    const text = writeKey(toKeyParts({ id: randomBytes(ID_BYTES), secret: randomBytes(SECRET_BYTES) }));
    const sum = [...text.slice(-6)].reduce((number, digit) => number * 62 + KEY_CHARACTERS.indexOf(digit), 0);
    expect(sum).toBe(crc32(text.slice(0, -6)));
  });

  it.each(['', 'cpf_', 'Bearer x', 'cpf_aaaaaaaaaaaa_', `cpf_${'a'.repeat(12)}_${'a'.repeat(49)}`, 'a'.repeat(100_000)])(
    'is not %#',
    (text) => expect(parseKey(text)).toBeUndefined(),
  );
});

it('ends at the very moment, and is revoked whenever it would have ended', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const later = new Date(now.getTime() + 1);
  expect(statusOfKey({ expiresAt: null, revokedAt: null }, now)).toBe('active');
  expect(statusOfKey({ expiresAt: later, revokedAt: null }, now)).toBe('active');
  expect(statusOfKey({ expiresAt: now, revokedAt: null }, now)).toBe('expired');
  expect(statusOfKey({ expiresAt: now, revokedAt: now }, now)).toBe('revoked');
});
