import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toDecimalAmount } from '../../../src/domain/amount.ts';
import { formatDecimal } from '../../../src/domain/decimal.ts';
import { checkEntry, type EntryInput } from '../../../src/domain/ledger/entry-input.ts';
import { buildAsset, NOW } from '../../support/builders.ts';
import { buildWallet } from '../../support/stub-services.ts';

const INPUT: EntryInput = {
  walletId: 'wallet',
  asset: 'asset',
  type: 'trade',
  amount: '1',
  occurredAt: NOW,
  price: null,
  note: null,
  reference: null,
};

it('takes any amount that the asset can have, to the last digit', () => {
  const raw = fc.bigInt({ min: -(10n ** 77n), max: 10n ** 77n }).filter((amount) => amount !== 0n);
  fc.assert(
    fc.property(raw, fc.nat(30), (amountRaw, decimals) => {
      const amount = formatDecimal(toDecimalAmount(amountRaw, decimals));
      const asset = buildAsset({ decimals });
      expect(checkEntry({ ...INPUT, amount }, { wallet: buildWallet(), asset, now: NOW })).toEqual({ amountRaw, price: null });
    }),
  );
});

it('takes nothing of an asset whose decimals nobody knows', () => {
  const asset = buildAsset({ decimals: null });
  expect(checkEntry(INPUT, { wallet: buildWallet(), asset, now: NOW })).toMatchObject([{ code: 'decimals_unknown' }]);
});
