import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTokenAccount, readTokenMint } from '../../../src/adapters/solana/token-layout.ts';
import { readMetadataExtension, readMetaplexMetadata } from '../../../src/adapters/solana/token-names.ts';

const bytes = fc.uint8Array({ maxLength: 600 }).map((data) => Buffer.from(data));
const MINT = 'So11111111111111111111111111111111111111112';

describe('bytes that are no token', () => {
  test('are never more than refused', () => {
    fc.assert(
      fc.property(bytes, (data) => {
        readTokenAccount(data);
        readTokenMint(data);
        expect(readMetadataExtension(data, MINT)).toEqual({ name: null, symbol: null, flags: ['metadata_unreadable'] });
        expect(readMetaplexMetadata(data, MINT)).toEqual({ name: null, symbol: null, flags: ['metadata_unreadable'] });
      }),
    );
  });

  test('a mint that was closed, not begun, cut short or is an account of signers is no mint', () => {
    const mint = Buffer.alloc(82);
    expect(readTokenMint(mint)).toBeUndefined();
    mint[45] = 1;
    expect(readTokenMint(mint)).toEqual({ decimals: 0, flags: [], ui: null, metadata: null });
    expect(readTokenMint(mint.subarray(0, 81))).toBeUndefined();
    expect(readTokenMint(Buffer.concat([mint, Buffer.alloc(83)]))).toBeUndefined();
    const signers = Buffer.alloc(355, 1);
    expect(readTokenMint(signers)).toBeUndefined();
  });

  test('a mint whose display rule is cut short is not read as one without a rule', () => {
    const mint = Buffer.alloc(166 + 4 + 20);
    mint[45] = 1;
    mint[165] = 1;
    mint.writeUInt16LE(25, 166);
    mint.writeUInt16LE(56, 168);
    expect(readTokenMint(mint)).toBeUndefined();
  });

  test('extensions that claim any length end the list and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 0, max: 65_535 }), bytes, (type, length, rest) => {
        const mint = Buffer.concat([Buffer.alloc(170), rest]);
        mint[45] = 1;
        mint[44] = 9;
        mint[165] = 1;
        mint.writeUInt16LE(type, 166);
        mint.writeUInt16LE(length, 168);
        expect([9, undefined]).toContain(readTokenMint(mint)?.decimals);
      }),
    );
  });
});

test('a token account in a state that no program knows has no amount', () => {
  const account = Buffer.alloc(165);
  account.writeBigUInt64LE(5n, 64);
  expect(readTokenAccount(account)?.amountRaw).toBeNull();
  account[108] = 1;
  expect(readTokenAccount(account)).toMatchObject({ amountRaw: 5n, isFrozen: false });
  account[108] = 2;
  expect(readTokenAccount(account)).toMatchObject({ amountRaw: 5n, isFrozen: true });
  account[108] = 3;
  expect(readTokenAccount(account)?.amountRaw).toBeNull();
});
