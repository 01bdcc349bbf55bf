import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';

const digits = fc.stringMatching(/^[0-9a-f]{40}$/);

/** Examples of EIP-55 itself. */
const CHECKSUMMED = [
  '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
  '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
  '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
];

test.each(CHECKSUMMED)('takes %s as it stands', (address) => {
  expect(parseEvmAddress(address)).toBe(address);
});

test('gives one form to all ways of writing an address in one case', () => {
  fc.assert(
    fc.property(digits, (text) => {
      const canonical = parseEvmAddress(`0x${text}`);
      expect(canonical?.toLowerCase()).toBe(`0x${text}`);
      expect(parseEvmAddress(`0x${text.toUpperCase()}`)).toBe(canonical);
      expect(parseEvmAddress(canonical ?? '')).toBe(canonical);
    }),
  );
});

test('refuses an address whose checksum is wrong in one letter', () => {
  fc.assert(
    fc.property(digits, fc.nat({ max: 39 }), (text, at) => {
      const canonical = parseEvmAddress(`0x${text}`)?.slice(2) ?? '';
      const letter = canonical[at] ?? '';
      const flipped = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
      const broken = canonical.slice(0, at) + flipped + canonical.slice(at + 1);
      const isMixed = broken !== broken.toLowerCase() && broken !== broken.toUpperCase();
      fc.pre(broken !== canonical && isMixed);
      expect(parseEvmAddress(`0x${broken}`)).toBeUndefined();
    }),
  );
});

test.each([
  ['no prefix', '5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'],
  ['upper-case prefix', '0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'],
  ['ICAP', 'XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS'],
  ['too short', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae'],
  ['too long', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0'],
  ['not hex', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg'],
  ['white space', ' 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'],
  ['a line break', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\n'],
  ['a name', 'vitalik.eth'],
  ['nothing', ''],
])('refuses %s', (_, text) => {
  expect(parseEvmAddress(text)).toBeUndefined();
});

test('takes nothing that is not 0x and 40 hex digits', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^0x[0-9a-fA-F]{40}$/.test(text));
      expect(parseEvmAddress(text)).toBeUndefined();
    }),
  );
});
