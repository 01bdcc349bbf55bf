import { Decimal } from '../../domain/decimal.ts';
import type { Flows } from './performance.ts';
import type { Movement, Series } from './performance-series.ts';

const SUMS = {
  deposit: 'deposits',
  withdrawal: 'withdrawals',
  unexplained: 'unexplained',
  opening: 'opening',
  internal: 'inTransit',
  trade: 'trades',
  fee: 'fees',
  income: 'income',
} as const;

/** What crossed the border, by type, over all steps but the first, which led to the start. */
export function toFlows({ points, steps }: Series): Flows {
  const ZERO = new Decimal(0);
  const crossed = { deposits: ZERO, withdrawals: ZERO, unexplained: ZERO, opening: ZERO, inTransit: ZERO, trades: ZERO };
  const sums = { ...crossed, fees: ZERO, income: ZERO };
  const flows = { in: ZERO, out: ZERO, count: 0, revalued: ZERO, unpricedCount: 0 };
  for (const [place, { movements, revalued }] of steps.entries()) {
    if (place === 0) continue;
    flows.revalued = flows.revalued.plus(revalued);
    for (const { type, quantity, price, isExternal } of netted(movements)) {
      if (type === 'trade' && !isExternal) continue;
      if (isExternal) flows.count += 1;
      if (price === null) {
        flows.unpricedCount += 1;
        continue;
      }
      const worth = quantity.times(price).times(points[place]?.rate ?? 0);
      sums[SUMS[type]] = sums[SUMS[type]].plus(worth);
      if (isExternal && worth.gt(0)) flows.in = flows.in.plus(worth);
      if (isExternal && worth.lt(0)) flows.out = flows.out.minus(worth);
    }
  }
  return { ...flows, ...sums, fees: sums.fees.negated() };
}

/** What went from one wallet to another is one movement, and none when both ends are told at once. */
function netted(movements: readonly Movement[]): readonly Movement[] {
  const internal = Map.groupBy(
    movements.filter(({ type }) => type === 'internal'),
    ({ assetId }) => assetId,
  );
  const left = [...internal.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const quantity = others.reduce((total, other) => total.plus(other.quantity), first.quantity);
    return quantity.isZero() ? [] : [{ ...first, quantity }];
  });
  return [...movements.filter(({ type }) => type !== 'internal'), ...left];
}
