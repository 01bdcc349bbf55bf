import type { Decimal } from '../../domain/decimal.ts';
import type { Flow, Valuation } from '../../domain/performance/cash-flow.ts';
import { type DailyReturn, dailyReturns } from '../../domain/performance/daily-returns.ts';
import { maxDrawdown } from '../../domain/performance/drawdown.ts';
import { modifiedDietz } from '../../domain/performance/modified-dietz.ts';
import { moneyWeightedReturn } from '../../domain/performance/money-weighted-return.ts';
import { DAYS_PER_YEAR } from '../../domain/performance/returns.ts';
import { sharpeRatio, sortinoRatio, volatility } from '../../domain/performance/risk.ts';
import { knownReturns } from '../../domain/performance/statistics.ts';
import { type TimeWeightedReturn, timeWeightedReturn } from '../../domain/performance/time-weighted-return.ts';
import type { DayFigure, Drawdown, Figure, FigureReason, Returns, Risk } from './performance.ts';
import type { Series } from './performance-series.ts';

/** The portfolio's value at each moment before the flows of that moment, and the flows; the first moment has none. */
export type CashView = {
  readonly valuations: readonly Valuation[];
  readonly flows: readonly Flow[];
  /** After the flows of the last moment. */
  readonly end: Valuation;
};

/** Undefined where there is no moment. */
export function toCashView({ points, steps }: Series): CashView | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const flows = points.flatMap(({ moment: { at } }, place): Flow[] => {
    const step = steps[place];
    const amount = step?.external.plus(step.revalued);
    return place === 0 || amount === undefined || amount.isZero() ? [] : [{ at, amount }];
  });
  const flowAt = new Map(flows.map(({ at, amount }) => [at.getTime(), amount]));
  const valuations = points.map(({ moment: { at }, value }) => ({ at, value: value.minus(flowAt.get(at.getTime()) ?? 0) }));
  return { valuations, flows, end: { at: last.moment.at, value: last.value } };
}

export function toFigure<T>(value: T | null | undefined, reason: FigureReason): Figure<T> {
  return value === null || value === undefined ? { value: null, reason } : { value, reason: null };
}

/** The rate where something was there to earn on; else why there is none. */
export function timeWeightedFigure(view: CashView | undefined): Figure<TimeWeightedReturn> {
  if (view === undefined) return { value: null, reason: 'no_snapshot' };
  const result = timeWeightedReturn(view.valuations, view.flows);
  if (result === null) return { value: null, reason: 'one_snapshot' };
  return toFigure(hasCapital(view) ? result : null, 'nothing_invested');
}

function hasCapital({ valuations, flows }: CashView): boolean {
  return valuations.slice(0, -1).some(({ value }) => value.gt(0)) || flows.some(({ amount }) => amount.gt(0));
}

/** Days between the first moment and the last. */
export function daysOf(view: CashView | undefined): number {
  const start = view?.valuations[0];
  return view === undefined || start === undefined ? 0 : (view.end.at.getTime() - start.at.getTime()) / DAY_MS;
}

const DAY_MS = 86_400_000;

export function toReturns(view: CashView | undefined, twr: Figure<TimeWeightedReturn>): Returns {
  const days = daysOf(view);
  const rate = twr.value?.rate.toNumber();
  const start = view?.valuations[0];
  if (view === undefined || start === undefined || twr.value === null || rate === undefined) {
    const none = { value: null, reason: twr.reason ?? 'no_snapshot' } as const;
    return {
      timeWeighted: none,
      timeWeightedAnnual: none,
      undefinedStretches: 0,
      moneyWeighted: none,
      moneyWeightedAnnual: none,
      isMoneyWeightedAmbiguous: false,
      modifiedDietz: none,
      simple: none,
    };
  }
  const money = moneyWeightedReturn(start, view.end, view.flows);
  const simple = start.value.gt(0) ? view.end.value.div(start.value).minus(1) : null;
  return {
    timeWeighted: { value: rate, reason: null },
    timeWeightedAnnual: annual(days, annualise(rate, days)),
    undefinedStretches: twr.value.periods.filter(({ method }) => method === 'undefined').length,
    moneyWeighted: toFigure(money && (1 + money.rate) ** (days / DAYS_PER_YEAR) - 1, 'no_rate_fits'),
    moneyWeightedAnnual: money === null ? { value: null, reason: 'no_rate_fits' } : annual(days, money.rate),
    isMoneyWeightedAmbiguous: money?.isAmbiguous ?? false,
    modifiedDietz: toFigure(modifiedDietz(start, view.end, view.flows)?.toNumber(), 'nothing_invested'),
    simple: toFigure(simple?.toNumber(), 'nothing_invested'),
  };
}

function annualise(rate: number, days: number): number {
  return (1 + rate) ** (DAYS_PER_YEAR / days) - 1;
}

/** GIPS: what did not last a year is not told as if it had. */
function annual(days: number, rate: number): Figure {
  return toFigure(days < DAYS_PER_YEAR || Number.isNaN(rate) ? null : rate, 'less_than_a_year');
}

export function toRisk(
  twr: Figure<TimeWeightedReturn>,
  { returns, riskFreePerYear }: { readonly returns: Returns; readonly riskFreePerYear: number },
): Risk {
  const days = dailyReturns(twr.value?.periods ?? []);
  const rates = days.map(({ ownRate }) => ownRate);
  const known = knownReturns(rates).length;
  const options = { riskFreePerYear };
  const ratio = (value: number | null, reason: FigureReason): Figure => toFigure(value, known < 2 ? 'too_few_days' : reason);
  const fall = toDrawdown(days, twr.value?.periods[0]?.from ?? null, twr.reason);
  return {
    riskFreePerYear,
    days: known,
    volatility: ratio(volatility(rates), 'too_few_days'),
    sharpe: ratio(sharpeRatio(rates, options), 'no_spread'),
    sortino: ratio(sortinoRatio(rates, options), 'nothing_fell'),
    maxDrawdown: fall,
    calmar: toCalmar(returns.timeWeightedAnnual, fall),
    bestDay: extremeDay(days, (a, b) => a > b),
    worstDay: extremeDay(days, (a, b) => a < b),
  };
}

function toDrawdown(days: readonly DailyReturn[], start: Date | null, reason: FigureReason | null): Figure<Drawdown> {
  const fall = maxDrawdown(days.map(({ rate }) => rate));
  if (fall === null) return { value: null, reason: reason ?? 'one_snapshot' };
  const momentOf = (place: number | null): Date | null =>
    fall.depth === 0 || place === null ? null : place === 0 ? start : (days[place - 1]?.at ?? null);
  const { depth, peak, trough, recovery } = fall;
  const told = { depth, peakAt: momentOf(peak), troughAt: momentOf(trough), recoveredAt: momentOf(recovery) };
  return { value: told, reason: null };
}

function toCalmar(yearly: Figure, fall: Figure<Drawdown>): Figure {
  if (yearly.value === null) return yearly;
  if (fall.value === null) return fall;
  return toFigure(fall.value.depth === 0 ? null : yearly.value / -fall.value.depth, 'nothing_fell');
}

function extremeDay(days: readonly DailyReturn[], isBeyond: (a: number, b: number) => boolean): Figure<DayFigure> {
  const known = days.flatMap(({ day, ownRate }) => (ownRate === null ? [] : [{ day, rate: ownRate }]));
  const found = known.reduce<DayFigure | null>(
    (best, one) => (best === null || isBeyond(one.rate, best.rate) ? one : best),
    null,
  );
  return toFigure(found, 'too_few_days');
}

/** What is left of a value when its flows are taken off: what was earned. */
export function gainOf(view: CashView): Decimal {
  const total = view.flows.reduce((left, { amount }) => left.minus(amount), view.end.value);
  return total.minus(view.valuations[0]?.value ?? 0);
}
