import { Decimal } from '../decimal.ts';
import type { PeriodReturn } from './statistics.ts';
import type { SubPeriod } from './time-weighted-return.ts';

/** One UTC day of an index. */
export type DailyReturn = {
  /** Midnight at which the day begins. */
  readonly day: Date;
  /** The last valuation of the day; null where there was none. */
  readonly at: Date | null;
  /** The linked rates of all that ended in the day, as a fraction; null for none. */
  readonly rate: PeriodReturn;
  /** The same where it is the return of this day alone: null too after days without a valuation, as it would be theirs as well. */
  readonly ownRate: PeriodReturn;
};

const DAY_MS = 86_400_000;

/** The rates of sub-periods by the UTC day in which they end, one entry for each day from the first to the last. */
export function dailyReturns(periods: readonly SubPeriod[]): readonly DailyReturn[] {
  const byDay = Map.groupBy(periods, ({ to }) => dayOf(to));
  const days = [...byDay.keys()];
  if (days.length === 0) return [];
  const [first, last] = [Math.min(...days), Math.max(...days)];
  return Array.from({ length: last - first + 1 }, (_, index): DailyReturn => {
    const inside = byDay.get(first + index) ?? [];
    const day = new Date((first + index) * DAY_MS);
    const [begin] = inside;
    if (begin === undefined) return { day, at: null, rate: null, ownRate: null };
    const rate = inside
      .reduce((growth, period) => growth.times(period.rate.plus(1)).dp(DIGITS), new Decimal(1))
      .minus(1)
      .toNumber();
    const isOwn = dayOf(begin.from) >= first + index - 1;
    return { day, at: inside.at(-1)?.to ?? null, rate, ownRate: isOwn ? rate : null };
  });
}

/** Thousands of factors do not grow without end. */
const DIGITS = 60;

/** Days of UTC since 1970. */
export function dayOf(moment: Date): number {
  return Math.floor(moment.getTime() / DAY_MS);
}
