import type { HoldingAt, PriceAt } from '../../db/history/changes-store.ts';
import { toDecimalAmount } from '../../domain/amount.ts';
import type { Asset } from '../../domain/asset.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { RuledAsset } from './asset-rules.ts';

/** One holding with what it was worth. */
export type StatedHolding = Omit<HoldingAt, 'price' | 'assetId'> & {
  readonly asset: Asset;
  /** In whole ones; null when its decimals are not known. */
  readonly amount: Decimal | null;
  /** The owner's own, or what was known then; null when nothing was. */
  readonly price: PriceAt | null;
  readonly isManual: boolean;
  readonly usdValue: Decimal | null;
  /** In the currency. */
  readonly value: Decimal | null;
  readonly valueReason: 'decimals_unknown' | 'price_missing' | 'fx_missing' | null;
};

/** Values holdings by the word of today on their assets; what counts as spam or is held back is left out. */
export function stateHoldings(
  holdings: readonly HoldingAt[],
  rules: ReadonlyMap<string, RuledAsset>,
  perUsd: Decimal | null,
): readonly StatedHolding[] {
  return holdings.flatMap(({ assetId, price: known, ...holding }) => {
    const rule = rules.get(assetId);
    if (rule === undefined || rule.isExcluded) return [];
    const { asset, manualPrice: manual } = rule;
    const amount = asset.decimals === null ? null : toDecimalAmount(holding.amountRaw, asset.decimals);
    const price = manual === null ? known : { value: manual.value, source: 'manual', quotedAt: manual.setAt };
    const usdValue = amount === null || price === null ? null : amount.times(price.value);
    const value = usdValue === null || perUsd === null ? null : usdValue.times(perUsd);
    const valueReason = findReason({ amount, price, value });
    return [{ ...holding, asset, amount, price, isManual: manual !== null, usdValue, value, valueReason }];
  });
}

function findReason({ amount, price, value }: Pick<StatedHolding, 'amount' | 'price' | 'value'>): StatedHolding['valueReason'] {
  if (amount === null) return 'decimals_unknown';
  if (price === null) return 'price_missing';
  return value === null ? 'fx_missing' : null;
}
