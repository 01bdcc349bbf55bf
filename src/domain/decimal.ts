import { BigNumber } from 'bignumber.js';

/**
 * Exact decimal arithmetic, the only number type that prices and values ever have. A clone of bignumber.js whose range and
 * notation are set so that no sum or product is ever rounded and no string ever shows an exponent.
 */
export const Decimal = BigNumber.clone({ EXPONENTIAL_AT: 1e9, RANGE: 1e9, DECIMAL_PLACES: 40 });
export type Decimal = BigNumber;

const DECIMAL_PATTERN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/;
const MAX_DECIMAL_LENGTH = 400;

/**
 * Reads a decimal number written in digits, with an optional exponent of at most three digits.
 * @returns the exact value, or undefined for everything else (empty, NaN, Infinity, hex, over 400 characters).
 */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > MAX_DECIMAL_LENGTH || !DECIMAL_PATTERN.test(text)) return undefined;
  return new Decimal(text);
}

/** Plain digits without an exponent and without trailing zeros: the form every decimal has on the wire and in the database. */
export function formatDecimal(value: Decimal): string {
  return value.toFixed();
}
