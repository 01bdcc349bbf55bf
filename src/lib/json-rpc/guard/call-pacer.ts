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

/** Where nothing is known of an endpoint, a beginning that most public ones bear. */
const START_RPS = 20;
const MIN_RPS = 3;
const MAX_RPS = 500;
/** Up to what an endpoint is known to refuse, which may be never. */
const FAST_GROWTH = 2;
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
/** Providers change their limits, and busy hours pass. */
const REFUSAL_FORGOTTEN_AFTER_MS = 5 * 60_000;

type CallPacerOptions = {
  readonly budget: CallBudget;
  /** A node of one's own may be asked as fast as anything is, until it refuses. */
  readonly isOwn: boolean;
  readonly now?: () => number;
};

export function createCallPacer({ budget, isOwn, now = monotonicNow }: CallPacerOptions): CallPacer {
  const { limits } = budget;
  const window = createCallWindow(now);
  let rps = isOwn ? MAX_RPS : START_RPS;
  let countsCalls = false;
  let served = 0;
  let cutAt = Number.NEGATIVE_INFINITY;
  /** The rate at which it refused. */
  let refusedRps = Number.POSITIVE_INFINITY;
  const weigh = (calls: number): number => (countsCalls ? calls : 1);
  /** The rate that may be gone up to without care. */
  const easyRps = (): number => (now() - cutAt < REFUSAL_FORGOTTEN_AFTER_MS ? refusedRps * NEAR_LIMIT : MAX_RPS);

  return {
    waitMs: (calls) => Math.max(budget.waitMs(calls), window.waitMs(weigh(calls), rps)),
    note(calls) {
      budget.note(calls);
      window.note(weigh(calls));
    },
    noteServed() {
      if (window.sum() < rps * NEAR_LIMIT) return;
      served += 1;
      const easy = easyRps();
      if (served < rps * (rps < easy ? 1 : SECONDS_BEFORE_GROWTH)) return;
      served = 0;
      rps = Math.min(MAX_RPS, rps < easy ? Math.min(easy, rps * FAST_GROWTH) : rps * GROWTH);
    },
    noteRefused({ isPart }) {
      countsCalls ||= isPart;
      const sinceCut = now() - cutAt;
      if (sinceCut < ONE_CUT_PER_MS) return;
      const isFarOff = refusedRps === Number.POSITIVE_INFINITY || sinceCut < REFUSED_AGAIN_WITHIN_MS;
      // Who refuses far below the limit has another reason than our pace.
      if (window.sum() * FAST_GROWTH >= rps) refusedRps = window.sum();
      rps = Math.max(MIN_RPS, rps * (isFarOff ? HARD_CUT : SOFT_CUT));
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
