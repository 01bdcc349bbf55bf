import { Decimal } from '../decimal.ts';
import { byTime } from './cash-flow.ts';

/** Which units go first when some are sold: the oldest, the newest, the dearest, or the same part of all. */
export type CostBasisMethod = 'fifo' | 'lifo' | 'hifo' | 'average';

/** A purchase (quantity above zero) or a sale (below) of one asset. */
export type Trade = {
  readonly at: Date;
  readonly quantity: Decimal;
  /** Of one unit. */
  readonly price: Decimal;
  /** What it cost beside the price; 0 or more. A purchase's fee is part of the cost, a sale's lowers the proceeds. */
  readonly fee: Decimal;
};

export type CostBasis = {
  readonly quantity: Decimal;
  /** What the units that are left have cost, fees included. */
  readonly cost: Decimal;
  /** Proceeds of what was sold less what it had cost. */
  readonly realised: Decimal;
  readonly fees: Decimal;
  /** Units that were sold without having been bought; their proceeds count as realised in full, and the figure is not whole. */
  readonly unexplained: Decimal;
};

type Lot = { quantity: Decimal; cost: Decimal };

/** Follows the trades of one asset in the order of time. */
export function costBasis(trades: readonly Trade[], method: CostBasisMethod): CostBasis {
  let lots: Lot[] = [];
  let [realised, fees, unexplained] = [new Decimal(0), new Decimal(0), new Decimal(0)];
  for (const { quantity, price, fee } of byTime(trades)) {
    fees = fees.plus(fee);
    if (quantity.gt(0)) {
      lots = addLot(lots, { quantity, cost: quantity.times(price).plus(fee) }, method);
      continue;
    }
    const sold = sell(lots, quantity.negated());
    lots = sold.left;
    unexplained = unexplained.plus(sold.missing);
    realised = realised.plus(quantity.negated().times(price)).minus(fee).minus(sold.cost);
  }
  const quantity = lots.reduce((total, lot) => total.plus(lot.quantity), new Decimal(0));
  const cost = lots.reduce((total, lot) => total.plus(lot.cost), new Decimal(0));
  return { quantity, cost, realised, fees, unexplained };
}

/** What the units that are left would earn at this price: their worth less their cost. */
export function unrealised({ quantity, cost }: CostBasis, price: Decimal): Decimal {
  return quantity.times(price).minus(cost);
}

/** Lots in the order in which they are sold. Under `average` there is one. */
function addLot(lots: readonly Lot[], lot: Lot, method: CostBasisMethod): Lot[] {
  if (method === 'fifo') return [...lots, lot];
  if (method === 'lifo') return [lot, ...lots];
  if (method === 'hifo') return [...lots, lot].toSorted((a, b) => b.cost.div(b.quantity).comparedTo(a.cost.div(a.quantity)) ?? 0);
  const [all] = lots;
  return [all === undefined ? lot : { quantity: all.quantity.plus(lot.quantity), cost: all.cost.plus(lot.cost) }];
}

function sell(lots: readonly Lot[], quantity: Decimal): { left: Lot[]; cost: Decimal; missing: Decimal } {
  let missing = quantity;
  let cost = new Decimal(0);
  const left: Lot[] = [];
  for (const lot of lots) {
    const taken = Decimal.min(missing, lot.quantity);
    // The last units take the whole rest of the cost, so that no rounding is left behind.
    const part = taken.eq(lot.quantity) ? lot.cost : lot.cost.times(taken).div(lot.quantity);
    missing = missing.minus(taken);
    cost = cost.plus(part);
    if (taken.lt(lot.quantity)) left.push({ quantity: lot.quantity.minus(taken), cost: lot.cost.minus(part) });
  }
  return { left, cost, missing };
}
