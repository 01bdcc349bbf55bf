import type { Asset } from '../../domain/asset.ts';
import { Decimal } from '../../domain/decimal.ts';
import { type CostBasis, type CostBasisMethod, costBasis, type Trade, unrealised } from '../../domain/performance/cost-basis.ts';
import type { AssetPnl, Figure, Pnl } from './performance.ts';
import { toFigure } from './performance-figures.ts';
import type { SeriesPoint } from './performance-series.ts';
import type { PricedMovement } from './priced-movements.ts';

type PnlInput = {
  /** Since the first snapshot. */
  readonly movements: readonly PricedMovement[];
  readonly start: SeriesPoint | undefined;
  readonly end: SeriesPoint | undefined;
  readonly method: CostBasisMethod;
  readonly assetOf: (assetId: string) => Asset | undefined;
};

/**
 * What each asset has cost and earned. Whatever comes in is bought at its price, whatever leaves is sold at it; a fee is sold for nothing, income is earned at its price and bought for it. What the units have cost goes
 * back to the first snapshot; what was realised is that of the period.
 */
export function toPnl({ movements, start, end, method, assetOf }: PnlInput): Pnl {
  const byAsset = Map.groupBy(movements, ({ assetId }) => assetId);
  const assets = [...byAsset].flatMap(([assetId, moved]): AssetPnl[] => {
    const asset = assetOf(assetId);
    if (asset === undefined || start === undefined || end === undefined) return [];
    return [toAssetPnl(asset, { moved, start, end, method })];
  });
  const ofPeriod = assets.filter(
    ({ quantity, realised, fees, income, untoldQuantity }) =>
      !(quantity.isZero() && realised.isZero() && fees.isZero() && income.isZero() && untoldQuantity.isZero()),
  );
  const total = (read: (asset: AssetPnl) => Decimal | null): Decimal =>
    ofPeriod.reduce((sum, asset) => sum.plus(read(asset) ?? 0), new Decimal(0));
  return {
    method,
    assets: ofPeriod.toSorted((a, b) => (b.value.value ?? ZERO).comparedTo(a.value.value ?? ZERO) ?? 0),
    realised: total(({ realised }) => realised),
    unrealised: total((asset) => asset.unrealised.value),
    fees: total(({ fees }) => fees),
    income: total(({ income }) => income),
    gain: total(({ gain }) => gain.value),
    gainWithoutCurrency: total(({ gainWithoutCurrency }) => gainWithoutCurrency.value),
    currencyEffect: total(({ currencyEffect }) => currencyEffect.value),
  };
}

const ZERO = new Decimal(0);

type AssetInput = Pick<PnlInput, 'method'> & {
  readonly moved: readonly PricedMovement[];
  readonly start: SeriesPoint;
  readonly end: SeriesPoint;
};

function toAssetPnl(asset: Asset, { moved, start, end, method }: AssetInput): AssetPnl {
  const inPeriod = { start: start.moment.at, method };
  const own = follow(moved, ({ price }) => price, inPeriod);
  const inDollars = follow(moved, ({ usdPrice }) => usdPrice, inPeriod);
  const { basis, realised, fees, income, untold } = own;
  const usdPrice = end.positions.get(asset.id)?.price ?? (basis.quantity.isZero() ? ZERO : null);
  const price = usdPrice?.times(end.rate) ?? null;
  const earned = (side: Followed, at: Decimal | null): Decimal | null =>
    at && unrealised(side.basis, at).plus(side.realised).plus(side.income);
  const gain = earned(own, price);
  const gainWithoutCurrency = earned(inDollars, usdPrice)?.times(end.rate) ?? null;
  return {
    asset,
    quantity: basis.quantity,
    cost: toFigure(isCostKnown(basis) ? basis.cost : null, 'cost_unknown'),
    value: orUnpriced(price?.times(basis.quantity) ?? null),
    unrealised:
      price === null ? orUnpriced(null) : toFigure(isCostKnown(basis) ? unrealised(basis, price) : null, 'cost_unknown'),
    realised,
    fees,
    income,
    gain: orUnpriced(gain),
    gainWithoutCurrency: orUnpriced(gainWithoutCurrency),
    currencyEffect: orUnpriced(gain && gainWithoutCurrency && gain.minus(gainWithoutCurrency)),
    uncostedQuantity: basis.uncosted,
    untoldQuantity: untold,
  };
}

/** Whether that of any unit is. */
function isCostKnown({ quantity, uncosted }: CostBasis): boolean {
  return quantity.isZero() || uncosted.lt(quantity);
}

function orUnpriced(value: Decimal | null): Figure<Decimal> {
  return toFigure(value, 'unpriced');
}

type Followed = {
  readonly basis: CostBasis;
  readonly realised: Decimal;
  readonly fees: Decimal;
  readonly income: Decimal;
  readonly untold: Decimal;
};

/** The cost basis at the end, and what was realised since the start. */
function follow(
  moved: readonly PricedMovement[],
  priceOf: (movement: PricedMovement) => Decimal | null,
  { start, method }: { readonly start: Date; readonly method: CostBasisMethod },
): Followed {
  const toTrade = (movement: PricedMovement): Trade => {
    const { at, type, quantity } = movement;
    const price = priceOf(movement);
    const fee = type === 'fee' && quantity.lt(0) ? (price?.times(quantity).negated() ?? ZERO) : ZERO;
    return { at, quantity, price, fee };
  };
  const isBefore = ({ at }: PricedMovement): boolean => at <= start;
  const basis = costBasis(moved.map(toTrade), method);
  const before = costBasis(moved.filter(isBefore).map(toTrade), method);
  const income = moved
    .filter((movement) => movement.type === 'income' && !isBefore(movement))
    .reduce((total, movement) => total.plus(priceOf(movement)?.times(movement.quantity) ?? 0), ZERO);
  return {
    basis,
    realised: basis.realised.minus(before.realised),
    fees: basis.fees.minus(before.fees),
    income,
    untold: basis.untold.minus(before.untold),
  };
}
