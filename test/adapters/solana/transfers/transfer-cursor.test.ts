import { expect, test } from 'vitest';
import { addressOf } from '../../../../localnet/solana/vm.ts';
import { readCursor, type TransferCursor, writeCursor } from '../../../../src/adapters/solana/transfers/transfer-cursor.ts';

const cursor: TransferCursor = {
  toSlot: 2n ** 60n,
  hasStake: false,
  accounts: [
    { kind: 'wallet', address: addressOf('wallet'), before: 'x'.repeat(88) },
    { kind: 'token', address: addressOf('token'), before: null },
  ],
};

test('a cursor that was written is read as it was', () => {
  expect(readCursor(writeCursor(cursor))).toEqual(cursor);
});

test.each([
  '',
  'null',
  '{}',
  writeCursor(cursor).replace('"v":1', '"v":2'),
  writeCursor(cursor).replace(addressOf('token'), 'x'),
  writeCursor(cursor).replace('"wallet"', '"purse"'),
  writeCursor({
    ...cursor,
    accounts: Array.from({ length: 5_000 }, (_, n) => ({ kind: 'token', address: addressOf(`${n}`), before: null })),
  }),
  ' '.repeat(2 ** 21) + writeCursor(cursor),
])('one that was not is none', (text) => {
  expect(readCursor(text)).toBeNull();
});
