import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry, MAX_ENTRY_BYTES } from '../../../src/adapters/cache/entry-codec.ts';

const entry = {
  version: '1795262400123456.7',
  etag: 'W/"abc-_9"',
  createdAt: 1_795_262_400_123,
  bytes: Buffer.from('{"name":"ü"}'),
};

it('gives back what was written', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), (bytes, createdAt) => {
      const written = { ...entry, createdAt, bytes: Buffer.from(bytes) };
      expect(decodeEntry(encodeEntry(written))).toEqual(written);
    }),
  );
});

describe('bytes that are no entry', () => {
  it('are none, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeEntry(Buffer.from(bytes)) === undefined));
  });

  it('are none when a single bit of an entry has changed, or its end is missing', () => {
    const good = encodeEntry(entry);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeEntry(bad)).toBeUndefined();
    }
    for (let length = 0; length < good.length; length++) expect(decodeEntry(good.subarray(0, length))).toBeUndefined();
  });

  it('are none with a tag that would break out of its header', () => {
    expect(decodeEntry(encodeEntry({ ...entry, etag: '"a"\r\nSet-Cookie: x' }))).toBeUndefined();
  });

  it('are none when they are too many', () => {
    expect(decodeEntry(encodeEntry({ ...entry, bytes: Buffer.alloc(MAX_ENTRY_BYTES) }))).toBeUndefined();
  });
});
