import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UINT256_MAX } from '../../src/domain/amount.ts';
import { Decimal, formatDecimal, parseDecimal } from '../../src/domain/decimal.ts';
import { valueHolding } from '../../src/domain/valuation.ts';
import {
  buildAsset,
  buildContext,
  buildHolding,
  buildPrice,
  buildSourceState,
  FRESH,
  MISSING_PRICE,
} from '../support/builders.ts';

/** A price as digits and a power of ten, 1e-30 to 1e9, so that the expected product can be had from integers alone. */
const prices = fc.record({ digits: fc.bigInt({ min: 1n, max: 10n ** 18n }), exponent: fc.integer({ min: -30, max: -9 }) });

/** `digits` x 10^exponent in plain notation, by string work on integers. */
function plain(digits: bigint, exponent: number): string {
  if (exponent >= 0) return (digits * 10n ** BigInt(exponent)).toString();
  const text = digits.toString().padStart(1 - exponent, '0');
  const fraction = text.slice(exponent).replace(/0+$/, '');
  return text.slice(0, exponent) + (fraction === '' ? '' : `.${fraction}`);
}

describe('valueHolding', () => {
  it('multiplies any uint256, any decimals and any price without losing a digit', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: UINT256_MAX }),
        fc.integer({ min: 0, max: 77 }),
        prices,
        (amountRaw, decimals, { digits, exponent }) => {
          const value = parseDecimal(plain(digits, exponent));
          expect(value).toBeDefined();
          const valued = valueHolding(
            buildHolding({ amountRaw, asset: buildAsset({ decimals }) }),
            buildContext({ price: buildPrice({ value: value ?? null }) }),
            FRESH,
          );
          expect(formatDecimal(valued.amount ?? new Decimal(-1))).toBe(plain(amountRaw, -decimals));
          expect(formatDecimal(valued.usdValue ?? new Decimal(-1))).toBe(plain(amountRaw * digits, exponent - decimals));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('keeps every digit of the largest amount with 255 decimals', () => {
    const valued = valueHolding(
      buildHolding({ amountRaw: UINT256_MAX, asset: buildAsset({ decimals: 255 }) }),
      buildContext(),
      FRESH,
    );
    expect(formatDecimal(valued.amount ?? new Decimal(0))).toBe(plain(UINT256_MAX, -255));
  });

  it('says that an amount is unknown instead of zero', () => {
    const error = { code: 'upstream_reverted', provider: 'rpc.example' } as const;
    const valued = valueHolding(buildHolding({ amountRaw: null, observedAt: null, error }), buildContext(), FRESH);
    expect(valued).toMatchObject({ status: 'failed', amount: null, usdValue: null, value: null, valueReason: 'amount_unknown' });
  });

  it.each([
    ['a missing price', buildContext({ price: MISSING_PRICE }), buildAsset(), 'price_missing'],
    ['a quarantined price', buildContext({ price: buildPrice({ status: 'quarantined' }) }), buildAsset(), 'price_quarantined'],
    ['unknown decimals', buildContext(), buildAsset({ decimals: null }), 'decimals_unknown'],
  ])('gives no value for %s', (_, context, asset, reason) => {
    const valued = valueHolding(buildHolding({ asset }), context, FRESH);
    expect(valued).toMatchObject({ usdValue: null, value: null, valueReason: reason });
  });

  it('values nothing at zero even without a price or decimals', () => {
    const asset = buildAsset({ decimals: null });
    const valued = valueHolding(buildHolding({ amountRaw: 0n, asset }), buildContext({ price: MISSING_PRICE }), FRESH);
    expect(valued.usdValue?.toFixed()).toBe('0');
    expect(valued.valueReason).toBeNull();
  });

  it('tells the value in another currency, and null without its rate', () => {
    const holding = buildHolding({ amountRaw: 2_500_000n });
    const inEuro = valueHolding(holding, buildContext(), { ...FRESH, perUsd: new Decimal('0.92') });
    expect([inEuro.usdValue?.toFixed(), inEuro.value?.toFixed()]).toEqual(['2.5', '2.3']);
    const unknown = valueHolding(holding, buildContext(), { ...FRESH, perUsd: null });
    expect(unknown).toMatchObject({ value: null, valueReason: 'fx_missing' });
    expect(unknown.usdValue?.toFixed()).toBe('2.5');
  });

  it.each([
    ['its source failed last time', {}, { lastOutcome: 'failed' as const }],
    ['its last read failed', { error: { code: 'upstream_reverted' as const, provider: null } }, {}],
    [
      'it was read too long ago',
      { observedAt: new Date('2026-11-21T11:00:00Z') },
      { observedAt: new Date('2026-11-21T11:00:00Z') },
    ],
    ['the last read left it out', { observedAt: new Date('2026-11-21T11:59:00Z') }, {}],
  ])('keeps the last good amount as stale when %s', (_, holding, source) => {
    const valued = valueHolding(buildHolding(holding), buildContext(), { ...FRESH, source: buildSourceState(source) });
    expect(valued.status).toBe('stale');
    expect(valued.usdValue?.toFixed()).toBe('1');
  });
});
