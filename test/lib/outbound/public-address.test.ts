import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, parseAddress } from '../../../src/lib/outbound/public-address.ts';

/** Blocks that are no single machines of the public internet, from the registries of IANA. */
const SPECIAL = new BlockList();
for (const [start, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  SPECIAL.addSubnet(start, prefix);
}

const isPublic = (text: string): boolean => isPublicAddress(parseAddress(text));
const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
/** Often at the edges, where the blocks are. */
const edges = fc.tuple(
  fc.constantFrom(0, 1, 9, 10, 11, 100, 126, 127, 128, 169, 172, 191, 192, 198, 203, 223, 224, 239, 240, 255),
  fc.constantFrom(0, 2, 15, 16, 18, 19, 20, 31, 32, 51, 63, 64, 88, 127, 128, 168, 175, 253, 254, 255),
  fc.constantFrom(0, 1, 2, 48, 99, 100, 113, 193, 196, 254, 255),
  fc.nat(255),
);

describe('an IPv4 address', () => {
  it('is public where no registry says otherwise, however a URL or a name writes it', () => {
    fc.assert(
      fc.property(fc.oneof(octets, edges), (parts) => {
        const [a, b, c, d] = parts;
        const plain = parts.join('.');
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const hex = number.toString(16).padStart(8, '0');
        const expected = !SPECIAL.check(plain);
        expect(isPublic(plain)).toBe(expected);
        for (const host of [String(number), `0x${hex}`, `0${number.toString(8)}`, `0x${a.toString(16)}.${b}.${c * 256 + d}`]) {
          expect(isPublic(new URL(`http://${host}/`).hostname)).toBe(expected);
        }
        const embedded = `${hex.slice(0, 4)}:${hex.slice(4)}`;
        for (const text of [`::ffff:${embedded}`, `64:ff9b::${embedded}`, `::ffff:${plain}`])
          expect(isPublic(text)).toBe(expected);
        for (const text of [`::${embedded}`, `2002:${embedded}::1`, `64:ff9b:1::${embedded}`, `2001::${embedded}`]) {
          expect(isPublic(text)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('an IPv6 address', () => {
  it('is public only where addresses are given out', () => {
    const words = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(words, ([first = 0, ...rest]) => {
        const text = [first, ...rest].map((word) => word.toString(16)).join(':');
        if (isPublic(text)) expect(first >>> 13).toBe(1);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['2606:4700::1111', '2a01:4f8::1', '2001:4860:4860::8888', '2400:cb00::1'])('%s is', (text) => {
    expect(isPublic(text)).toBe(true);
  });
});
