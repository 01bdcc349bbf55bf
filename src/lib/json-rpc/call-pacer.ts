import { type BudgetLimits, type CallBudget, monotonicNow } from './call-budget.ts';
import { createCallWindow } from './call-window.ts';

/**
 * How fast an endpoint may be asked: never faster than its budget, and otherwise as fast as it has shown to bear. Towards the learnt rate a batch is one
 * request, until the endpoint refuses a part of a batch and so shows that it counts the calls.
 */
export type CallPacer = {
  /** Milliseconds until so many calls in one request may go. */
  waitMs(calls: number): number;
  /** They go now. */
  note(calls: number): void;
  noteServed(): void;
  /** `isPart`: of a batch, some calls were refused and some were not. */
  noteRefused(options: { readonly isPart: boolean }): void;
  /** The most calls that may ever go in one request. */
  largestBatch(): number;
  status(): { readonly rateLimitRps: number; readonly budget: BudgetLimits & { readonly usedToday: number } };
};

const START_RPS = 20;
const MIN_RPS = 1;
const MAX_RPS = 500;
/** Until it first refuses, an endpoint may be of any size: a node of one's own takes hundreds. */
const FAST_GROWTH = 1.5;
const GROWTH = 1.05;
/** Seconds at the limit that must go well before the limit is raised. */
const SECONDS_BEFORE_GROWTH = 10;
const NEAR_LIMIT = 0.8;
const HARD_CUT = 0.5;
const SOFT_CUT = 0.95;
/** A second refusal within this time says that the limit is far off. */
const REFUSED_AGAIN_WITHIN_MS = 60_000;
/** The answers to calls in flight tell of one limit, not of many. */
const ONE_CUT_PER_MS = 1_000;

export function createCallPacer(budget: CallBudget, now: () => number = monotonicNow): CallPacer {
  const { limits } = budget;
  const window = createCallWindow(now);
  let rps = START_RPS;
  let hasRefused = false;
  let countsCalls = false;
  let served = 0;
  let cutAt = Number.NEGATIVE_INFINITY;
  const weigh = (calls: number): number => (countsCalls ? calls : 1);

  return {
    waitMs: (calls) => Math.max(budget.waitMs(calls), window.waitMs(weigh(calls), rps)),
    note(calls) {
      budget.note(calls);
      window.note(weigh(calls));
    },
    noteServed() {
      if (window.sum() < rps * NEAR_LIMIT) return;
      served += 1;
      if (served < rps * (hasRefused ? SECONDS_BEFORE_GROWTH : 1)) return;
      served = 0;
      rps = Math.min(MAX_RPS, rps * (hasRefused ? GROWTH : FAST_GROWTH));
    },
    noteRefused({ isPart }) {
      countsCalls ||= isPart;
      const sinceCut = now() - cutAt;
      if (sinceCut < ONE_CUT_PER_MS) return;
      const isFarOff = !hasRefused || sinceCut < REFUSED_AGAIN_WITHIN_MS;
      rps = Math.max(MIN_RPS, rps * (isFarOff ? HARD_CUT : SOFT_CUT));
      hasRefused = true;
      served = 0;
      cutAt = now();
    },
    largestBatch() {
      const byRate = countsCalls ? rps : Number.POSITIVE_INFINITY;
      return Math.max(1, Math.floor(Math.min(byRate, limits.perSecond ?? Number.POSITIVE_INFINITY)));
    },
    status: () => ({
      rateLimitRps: Math.min(rps, limits.perSecond ?? rps),
      budget: { ...limits, usedToday: budget.usedToday() },
    }),
  };
}
