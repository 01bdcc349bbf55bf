import { getAddressDecoder, getBase58Decoder } from '@solana/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressAt, bytesOfAddress, parseSolanaAddress } from '../../../src/adapters/solana/solana-address.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('takes the base58 form of any 32 bytes as it is, and gives the bytes back', () => {
  fc.assert(
    fc.property(key, (bytes) => {
      const text = getAddressDecoder().decode(bytes);
      expect(parseSolanaAddress(text)).toBe(text);
      expect(bytesOfAddress(text)).toEqual(bytes);
      expect(addressAt(Buffer.concat([Buffer.alloc(7), bytes]), 7)).toBe(text);
    }),
  );
});

test('refuses base58 of any other length', () => {
  const other = fc.uint8Array({ maxLength: 64 }).filter((bytes) => bytes.length !== 32);
  fc.assert(
    fc.property(other, (bytes) => {
      expect(parseSolanaAddress(getBase58Decoder().decode(bytes))).toBeUndefined();
    }),
  );
});

test('refuses any other text, and an address with anything around or within it', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      expect(parseSolanaAddress(text)).toBeUndefined();
    }),
  );
  const address = 'So11111111111111111111111111111111111111112';
  for (const text of [
    ` ${address}`,
    `${address}\n`,
    `${address}1`,
    `1${address}`,
    address.replace('o', '0'),
    address.replace('o', 'l'),
    address.slice(1),
  ]) {
    expect(parseSolanaAddress(text)).toBeUndefined();
  }
  expect(parseSolanaAddress('0x52908400098527886E0F7030069857D2E4169EE7')).toBeUndefined();
  expect(parseSolanaAddress('1'.repeat(100_000))).toBeUndefined();
});
