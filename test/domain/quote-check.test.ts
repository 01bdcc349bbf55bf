import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Decimal } from '../../src/domain/decimal.ts';
import type { Quote } from '../../src/domain/price.ts';
import { agree, checkQuote, isNear, isPriceJump, type RawQuote } from '../../src/domain/quote-check.ts';
import { NOW } from '../support/builders.ts';

const HOUR_MS = 3_600_000;

function raw(overrides: Partial<RawQuote> = {}): RawQuote {
  return { value: '1.5', source: 'defillama', quotedAt: NOW, ...overrides };
}

function verdictOn(overrides: Partial<RawQuote>, maxAgeMs?: number): string {
  const verdict = checkQuote(raw(overrides), { now: NOW, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) });
  return verdict.isGood ? 'good' : verdict.reason;
}

/** A quote made some hours before NOW. */
function quoteOf(value: string | Decimal, hoursAgo = 0): Quote {
  return { value: new Decimal(value), source: 'defillama', quotedAt: new Date(NOW.getTime() - hoursAgo * HOUR_MS) };
}

/** Digits of a decimal number from 1e-30 to 1e9, with as many places as there may be. */
const priceDigits = fc
  .tuple(fc.bigInt({ min: 1n, max: 10n ** 18n }), fc.integer({ min: -30, max: -9 }))
  .map(([digits, exponent]) => `${digits}e${exponent}`);

describe('the number of a quote', () => {
  test.each([
    ['', 'quote_not_a_number'],
    ['NaN', 'quote_not_a_number'],
    ['Infinity', 'quote_not_a_number'],
    ['-Infinity', 'quote_not_a_number'],
    ['null', 'quote_not_a_number'],
    ['0x10', 'quote_not_a_number'],
    ['1,000', 'quote_not_a_number'],
    ['1_000', 'quote_not_a_number'],
    [' 1', 'quote_not_a_number'],
    ['1e', 'quote_not_a_number'],
    ['1e9999', 'quote_not_a_number'],
    ['1'.repeat(401), 'quote_not_a_number'],
    ['0', 'quote_zero'],
    ['-0.0', 'quote_zero'],
    ['0e5', 'quote_zero'],
    ['-1e-40', 'quote_negative'],
    ['-5', 'quote_negative'],
    ['1e30', 'quote_absurd'],
    ['1000000000.0000000001', 'quote_absurd'],
    ['0.9e-30', 'quote_absurd'],
    ['1e-999', 'quote_absurd'],
    ['1e9', 'good'],
    ['1e-30', 'good'],
    ['97310.55', 'good'],
  ])('%.40s is %s', (value, verdict) => {
    expect(verdictOn({ value })).toBe(verdict);
  });

  test('is kept to the last digit from 1e-30 to 1e9', () => {
    fc.assert(
      fc.property(priceDigits, (value) => {
        const verdict = checkQuote(raw({ value }), { now: NOW });
        expect(verdict.isGood && verdict.quote.value.isEqualTo(value)).toBe(true);
      }),
    );
  });

  test('is good only as a positive number within bounds, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String)), (value) => {
        const verdict = checkQuote(raw({ value }), { now: NOW });
        if (!verdict.isGood) return;
        expect(verdict.quote.value.isGreaterThanOrEqualTo('1e-30')).toBe(true);
        expect(verdict.quote.value.isLessThanOrEqualTo('1e9')).toBe(true);
      }),
    );
  });
});

describe('the time of a quote', () => {
  const ago = (ms: number): Date => new Date(NOW.getTime() - ms);
  test.each([
    ['a day', ago(24 * HOUR_MS), 'good'],
    ['more than a day', ago(24 * HOUR_MS + 1), 'quote_too_old'],
    ['as long as there are clocks', new Date(0), 'quote_too_old'],
    ['five minutes to come', ago(-5 * 60_000), 'good'],
    ['more than five minutes to come', ago(-5 * 60_000 - 1), 'quote_from_future'],
    ['no time at all', new Date(Number.NaN), 'quote_not_a_number'],
  ])('may not be out of bounds: %s', (_, quotedAt, verdict) => {
    expect(verdictOn({ quotedAt })).toBe(verdict);
  });

  test('has the bound that its source gives', () => {
    expect(verdictOn({ quotedAt: ago(25 * HOUR_MS) }, 25 * HOUR_MS)).toBe('good');
    expect(verdictOn({ quotedAt: ago(2 * HOUR_MS) }, HOUR_MS)).toBe('quote_too_old');
  });

  test('is now where the source tells none', () => {
    const verdict = checkQuote(raw({ quotedAt: null }), { now: NOW });
    expect(verdict.isGood && verdict.quote.quotedAt).toEqual(NOW);
  });
});

describe('a jump', () => {
  test.each([
    ['100', '1000', false],
    ['100', '1000.000001', true],
    ['100', '10', false],
    ['100', '9.999999', true],
  ])('from %s to %s: %s', (from, to, expected) => {
    expect(isPriceJump(quoteOf(from), quoteOf(to))).toBe(expected);
  });

  test('needs something to jump from', () => {
    expect(isPriceJump(null, quoteOf('1e9'))).toBe(false);
  });

  test('is told only against a quote of the last seven days', () => {
    expect(isPriceJump(quoteOf('1', 7 * 24), quoteOf('1000'))).toBe(true);
    expect(isPriceJump(quoteOf('1', 7 * 24 + 1), quoteOf('1000'))).toBe(false);
  });

  test('is the same in both directions', () => {
    fc.assert(
      fc.property(priceDigits, priceDigits, (a, b) => {
        expect(isPriceJump(quoteOf(a), quoteOf(b))).toBe(isPriceJump(quoteOf(b), quoteOf(a)));
        expect(isNear(new Decimal(a), new Decimal(b))).toBe(isNear(new Decimal(b), new Decimal(a)));
      }),
    );
  });

  test('is none within the factor, whatever the size of the price', () => {
    fc.assert(
      fc.property(priceDigits, fc.integer({ min: 100, max: 1000 }), (digits, percent) => {
        const price = new Decimal(digits);
        expect(isPriceJump(quoteOf(price), quoteOf(price.times(percent).div(100)))).toBe(false);
        expect(isPriceJump(quoteOf(price), quoteOf(price.times(percent * 10 + 1)))).toBe(true);
      }),
    );
  });
});

test.each([
  ['100', '95', true],
  ['95', '100', true],
  ['100', '94.99', false],
  ['1e-30', '1e-30', true],
  ['1', '1e9', false],
])('%s and %s agree: %s', (a, b, expected) => {
  expect(agree(new Decimal(a), new Decimal(b))).toBe(expected);
});
