import { Decimal, formatDecimal } from '../../domain/decimal.ts';

/**
 * Decimals of a fraction. Amounts are whole numbers of units and prices are public: a share with many digits would be the ratio of two amounts, and so tell
 * both of them.
 */
const FRACTION_DECIMALS = 4;
/** A value that is a thousand times what it was is such a ratio too, and who asks chooses since when it is counted. */
const MOST_DIGITS = 5;

type NamedAsset = { chain: string; token_symbol: string | null; token_name: string | null; asset_uuid: string };

/** Rounds a fraction to what may be told of it. */
export function roundFraction(fraction: string): string {
  return roundDecimal(new Decimal(fraction), FRACTION_DECIMALS);
}

/** The same for one that may be unknown. */
export function roundShare(share: string | null): string | null {
  return share === null ? null : roundFraction(share);
}

/** `value` in per cent of `base`; null without a value, or without a base above zero. */
export function toIndex(value: string | null, base: Decimal | undefined): string | null {
  if (value === null || base === undefined) return null;
  return roundDecimal(new Decimal(value).times(100).div(base), FRACTION_DECIMALS - 2);
}

/** The part that `value` is of `whole`; null when either is unknown or there is no whole. */
export function toShare(value: string | null, whole: string | null): string | null {
  if (value === null || whole === null || !new Decimal(whole).gt(0)) return null;
  return roundDecimal(new Decimal(value).div(whole), FRACTION_DECIMALS);
}

/** Which asset it is, without its address. */
export function nameAsset({ chain, token_symbol, token_name, asset_uuid }: NamedAsset): NamedAsset {
  return { chain, token_symbol, token_name, asset_uuid };
}

function roundDecimal(value: Decimal, decimals: number): string {
  const rounded = value.dp(decimals).sd(MOST_DIGITS);
  return rounded.isZero() ? '0' : formatDecimal(rounded);
}
