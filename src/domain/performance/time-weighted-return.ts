import { Decimal } from '../decimal.ts';
import { byTime, type Flow, type Valuation } from './cash-flow.ts';

/** A stretch between two valuations with no flow that could be valued inside. */
export type SubPeriod = {
  readonly from: Date;
  readonly to: Date;
  /** A fraction; 0 where it cannot be told. */
  readonly rate: Decimal;
  /**
   * `exact`: valued at both ends, no flow inside. `estimated`: flows inside that nothing values; what came in counts as there from the start, what left as there until the end. `undefined`: nothing above zero to
   * earn on; the period counts as 0 and has to be told.
   */
  readonly method: 'exact' | 'estimated' | 'undefined';
};

export type TimeWeightedReturn = {
  /** A fraction: the product of (1 + rate) over all sub-periods, less 1. */
  readonly rate: Decimal;
  readonly periods: readonly SubPeriod[];
  /** Whether every sub-period is exact. */
  readonly isExact: boolean;
};

/**
 * The return without the effect of when money came and went, valued at each flow (GIPS): each sub-period's rate is the value before the flow over the value after the last one, less 1, and
 * the rates are linked. A flow at the moment of a valuation takes effect after it; flows before the first valuation or at and after the last change nothing. Null for fewer than two valuations.
 */
export function timeWeightedReturn(valuations: readonly Valuation[], flows: readonly Flow[]): TimeWeightedReturn | null {
  const points = byTime(valuations);
  if (points.length < 2) return null;
  const [first] = points;
  const ordered = byTime(flows).filter(({ at }) => first !== undefined && at >= first.at);
  let place = 0;
  const periods = points.slice(1).flatMap((end, index) => {
    const start = points[index];
    if (start === undefined) return [];
    const begin = place;
    while ((ordered[place]?.at ?? end.at) < end.at) place += 1;
    return [toSubPeriod(start, end, ordered.slice(begin, place))];
  });
  const growth = periods.reduce((product, { rate }) => product.times(rate.plus(1)).dp(DIGITS), new Decimal(1));
  return { rate: growth.minus(1), periods, isExact: periods.every(({ method }) => method === 'exact') };
}

/** Thousands of factors do not grow without end. */
const DIGITS = 60;

function toSubPeriod(start: Valuation, end: Valuation, flows: readonly Flow[]): SubPeriod {
  const [from, to] = [start.at.getTime(), end.at.getTime()];
  const amounts = (isWanted: (at: number) => boolean): readonly Decimal[] =>
    flows.filter(({ at }) => isWanted(at.getTime())).map(({ amount }) => amount);
  const after = add(
    start.value,
    amounts((at) => at === from && from < to),
  );
  const inside = amounts((at) => at > from && at < to);
  const begin = add(
    after,
    inside.filter((amount) => amount.gt(0)),
  );
  const finish = add(
    end.value,
    inside.filter((amount) => amount.lt(0)).map((amount) => amount.negated()),
  );
  const span = { from: start.at, to: end.at };
  if (!begin.gt(0)) {
    const isEmpty = begin.isZero() && finish.isZero();
    return { ...span, rate: new Decimal(0), method: isEmpty ? 'exact' : 'undefined' };
  }
  return { ...span, rate: finish.div(begin).minus(1), method: inside.length === 0 ? 'exact' : 'estimated' };
}

function add(start: Decimal, amounts: readonly Decimal[]): Decimal {
  return amounts.reduce((total, amount) => total.plus(amount), start);
}
