import { Decimal } from '../../domain/decimal.ts';
import type { UiAmount } from '../../domain/holding.ts';
import type { TokenMint, UiRule } from './token-layout.ts';

/** As the token program counts: 365.24 days. */
const SECONDS_PER_YEAR = 31_556_736;
const BASIS_POINTS = 10_000;

/**
 * What a wallet shows for a raw amount of a mint with a scaled or interest-bearing display, at a moment of the chain's own clock in seconds; null for other mints
 * and for a multiplier that is no number. By the token program's rule: raw amount x multiplier, cut off at the mint's decimals when scaled, rounded to
 * them when interest-bearing. The program reckons in floats and this does not, so the last unit may differ, and more of them beyond the 15th digit.
 */
export function toUiAmount(amountRaw: bigint, { decimals, ui }: TokenMint, chainTime: bigint): UiAmount | null {
  if (ui === null) return null;
  const multiplier = multiplierOf(ui, chainTime);
  if (!Number.isFinite(multiplier) || multiplier < 0) return null;
  const exact = new Decimal(multiplier.toString());
  const rounding = ui.kind === 'scaled' ? Decimal.ROUND_DOWN : Decimal.ROUND_HALF_EVEN;
  const amount = new Decimal(amountRaw.toString()).times(exact).decimalPlaces(0, rounding).shiftedBy(-decimals);
  return { amount, multiplier: exact };
}

function multiplierOf(ui: UiRule, chainTime: bigint): number {
  if (ui.kind === 'scaled') return chainTime >= ui.next.at ? ui.next.multiplier : ui.multiplier;
  const before = Number(ui.updatedAt - ui.startedAt);
  const since = Number(chainTime - ui.updatedAt);
  return (
    Math.exp((ui.averageRate * before) / SECONDS_PER_YEAR / BASIS_POINTS) *
    Math.exp((ui.currentRate * since) / SECONDS_PER_YEAR / BASIS_POINTS)
  );
}
