import { Decimal } from '../decimal.ts';
import { byTime } from './cash-flow.ts';

export const COST_BASIS_METHODS = ['fifo', 'lifo', 'hifo', 'average'] as const;

/** Which units go first when some are sold: the oldest, the newest, the dearest, or the same part of all. */
export type CostBasisMethod = (typeof COST_BASIS_METHODS)[number];

/** A purchase (quantity above zero) or a sale (below) of one asset. */
export type Trade = {
  readonly at: Date;
  readonly quantity: Decimal;
  /** Of one unit; null where it is not known. */
  readonly price: Decimal | null;
  /** What it cost beside the price; 0 or more. A purchase's fee is part of the cost, a sale's lowers the proceeds. */
  readonly fee: Decimal;
};

export type CostBasis = {
  readonly quantity: Decimal;
  /** What the units that are left have cost, fees included; of those whose cost is known. */
  readonly cost: Decimal;
  /** Proceeds of what was sold less what it had cost. */
  readonly realised: Decimal;
  readonly fees: Decimal;
  /** Units that were sold without having been bought; their proceeds count as realised in full, and the figure is not whole. */
  readonly unexplained: Decimal;
  /** Units that are left, part of `quantity`, whose cost is not known. */
  readonly uncosted: Decimal;
  /** Units that were sold and are no part of `realised`, as their cost or their price is not known. */
  readonly untold: Decimal;
};

type Lot = { readonly quantity: Decimal; readonly cost: Decimal | null };

/** Follows the trades of one asset in the order of time. */
export function costBasis(trades: readonly Trade[], method: CostBasisMethod): CostBasis {
  let lots: readonly Lot[] = [];
  let [realised, fees, unexplained, untold] = [new Decimal(0), new Decimal(0), new Decimal(0), new Decimal(0)];
  for (const { quantity, price, fee } of byTime(trades)) {
    fees = fees.plus(fee);
    if (quantity.gt(0)) {
      lots = addLot(lots, { quantity, cost: price && quantity.times(price).plus(fee) }, method);
      continue;
    }
    const sold = sell(lots, quantity.negated());
    lots = sold.left;
    unexplained = unexplained.plus(sold.missing);
    realised = realised.minus(fee);
    if (price === null) untold = untold.minus(quantity);
    else {
      untold = untold.plus(sold.uncosted);
      realised = realised.plus(quantity.negated().minus(sold.uncosted).times(price)).minus(sold.cost);
    }
  }
  const add = (total: Decimal, value: Decimal | null): Decimal => total.plus(value ?? 0);
  return {
    quantity: lots.map((lot) => lot.quantity).reduce(add, new Decimal(0)),
    cost: lots.map((lot) => lot.cost).reduce(add, new Decimal(0)),
    realised,
    fees,
    unexplained,
    uncosted: lots.map((lot) => (lot.cost === null ? lot.quantity : null)).reduce(add, new Decimal(0)),
    untold,
  };
}

/** What the units that are left would earn at this price: their worth less their cost. Units whose cost is not known are left out. */
export function unrealised(
  { quantity, cost, uncosted }: Pick<CostBasis, 'quantity' | 'cost' | 'uncosted'>,
  price: Decimal,
): Decimal {
  return quantity.minus(uncosted).times(price).minus(cost);
}

/** Lots in the order in which they are sold. Under `average` there is one of known cost. Where the price decides, what is not known comes last. */
function addLot(lots: readonly Lot[], lot: Lot, method: CostBasisMethod): readonly Lot[] {
  if (method === 'lifo') return [lot, ...lots];
  if (method === 'fifo' || lot.cost === null) return [...lots, lot];
  if (method === 'hifo') return lots.toSpliced(placeOf(lots, lot.cost.div(lot.quantity)), 0, lot);
  const [all] = lots;
  if (all === undefined || all.cost === null) return [lot, ...lots];
  return [{ quantity: all.quantity.plus(lot.quantity), cost: all.cost.plus(lot.cost) }, ...lots.slice(1)];
}

/** After the last lot that was not cheaper: lots are in falling order. */
function placeOf(lots: readonly Lot[], price: Decimal): number {
  let [low, high] = [0, lots.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const lot = lots[middle];
    if (lot === undefined || lot.cost === null || lot.cost.div(lot.quantity).lt(price)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type Sale = { readonly left: readonly Lot[]; readonly cost: Decimal; readonly uncosted: Decimal; readonly missing: Decimal };

function sell(lots: readonly Lot[], quantity: Decimal): Sale {
  let [missing, cost, uncosted] = [quantity, new Decimal(0), new Decimal(0)];
  for (const [index, lot] of lots.entries()) {
    const taken = Decimal.min(missing, lot.quantity);
    // The last units take the whole rest of the cost, so that no rounding is left behind.
    const part = lot.cost && (taken.eq(lot.quantity) ? lot.cost : lot.cost.times(taken).div(lot.quantity));
    missing = missing.minus(taken);
    if (part === null) uncosted = uncosted.plus(taken);
    else cost = cost.plus(part);
    if (taken.eq(lot.quantity)) continue;
    const rest = { quantity: lot.quantity.minus(taken), cost: lot.cost && part && lot.cost.minus(part) };
    return { left: [rest, ...lots.slice(index + 1)], cost, uncosted, missing };
  }
  return { left: [], cost, uncosted, missing };
}
