import { Decimal } from './decimal.ts';

/** The largest amount an EVM token can report. */
export const UINT256_MAX = 2n ** 256n - 1n;

/** The largest number of decimals a token may have: ERC-20 `decimals()` is a uint8. */
export const MAX_DECIMALS = 255;

/** An amount of a token's smallest unit as an exact decimal in whole tokens: 1234500000n with 6 decimals is 1234.5. */
export function toDecimalAmount(amountRaw: bigint, decimals: number): Decimal {
  return new Decimal(amountRaw.toString()).shiftedBy(-decimals);
}

/** One smallest unit in whole ones, as digits: `0.000001` for 6 decimals. */
export function unitOf(decimals: number): string {
  return new Decimal(1).shiftedBy(-decimals).toFixed();
}

/** Whole tokens in smallest units; undefined where it would take a part of one. */
export function toRawAmount(amount: Decimal, decimals: number): bigint | undefined {
  const raw = amount.shiftedBy(decimals);
  return raw.isInteger() ? BigInt(raw.toFixed()) : undefined;
}
