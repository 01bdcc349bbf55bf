import { Decimal } from '../decimal.ts';
import type { Flow, Valuation } from './cash-flow.ts';

/**
 * The return where nothing is valued between the ends: (V1 - V0 - sum of flows) / (V0 + sum of weighted flows), each flow weighted by the part of the time that it was there
 * (Dietz 1968, modified). A fraction. Flows outside of the time are left out. Null where nothing above zero was there on average, and for no time.
 */
export function modifiedDietz(start: Valuation, end: Valuation, flows: readonly Flow[]): Decimal | null {
  const [from, to] = [start.at.getTime(), end.at.getTime()];
  if (to <= from) return null;
  const inside = flows.filter(({ at }) => at.getTime() >= from && at.getTime() <= to);
  const total = inside.reduce((amount, flow) => amount.plus(flow.amount), new Decimal(0));
  const weighted = inside
    .reduce((amount, flow) => amount.plus(flow.amount.times(to - flow.at.getTime())), new Decimal(0))
    .div(to - from);
  const capital = start.value.plus(weighted);
  return capital.gt(0) ? end.value.minus(start.value).minus(total).div(capital) : null;
}
