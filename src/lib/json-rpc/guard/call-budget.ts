import { createCallWindow } from './call-window.ts';

/** What the owner allows. Null: no bound. */
export type BudgetLimits = { readonly perSecond: number | null; readonly perDay: number | null };

/** Keeps the calls to one provider within its limits, for all endpoints that share them. Every call of a batch counts. */
export type CallBudget = {
  readonly limits: BudgetLimits;
  /** Milliseconds until so many calls in one request may go. */
  waitMs(calls: number): number;
  /** They go now. */
  note(calls: number): void;
  /** Since midnight UTC, as far as this process knows. */
  usedToday(): number;
};

const DAY_MS = 86_400_000;

export function createCallBudget(limits: BudgetLimits, now: () => number = monotonicNow): CallBudget {
  const { perSecond, perDay } = limits;
  const window = createCallWindow(now);
  let today = { day: dayOf(now()), used: 0 };
  const usedToday = (): number => (today.day === dayOf(now()) ? today.used : 0);
  return {
    limits,
    usedToday,
    waitMs(calls) {
      const isSpent = perSecond === 0 || (perDay !== null && usedToday() + calls > perDay);
      if (isSpent) return (dayOf(now()) + 1) * DAY_MS - now();
      return perSecond === null ? 0 : window.waitMs(calls, perSecond);
    },
    note(calls) {
      window.note(calls);
      today = { day: dayOf(now()), used: usedToday() + calls };
    },
  };
}

/** Milliseconds since the epoch, by a clock that nobody sets. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now();
}

function dayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}
