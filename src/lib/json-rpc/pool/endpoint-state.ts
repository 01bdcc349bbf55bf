import type { ErrorCode } from '../../../domain/errors.ts';
import { adviseRetry } from '../guard/retry-advice.ts';

/**
 * `alive`: asked first. `lagging`: behind the others, or its head stands still. `limited`: asked us to pause, or its budget is used up. `unreachable`: fails.
 * `wrong_chain`, `unauthorized`: never of use until that changes. `probing`: on its way back, until several probes in a row were good.
 */
export const ENDPOINT_STATES = ['alive', 'lagging', 'unreachable', 'wrong_chain', 'unauthorized', 'limited', 'probing'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** What is known of an endpoint's health. Times are in milliseconds since the epoch. */
export type EndpointHealth = {
  readonly state: EndpointState;
  readonly since: number;
  /** Grows by one with each failure and shrinks by one with each success: more than half of the calls must fail for it to grow. */
  readonly failures: number;
  /** Failures since the last success. */
  readonly streak: number;
  readonly goodProbes: number;
  /** Until when it stands behind its equals after a failure. */
  readonly demotedUntil: number;
  readonly limitedUntil: number;
  readonly lastError: { readonly code: ErrorCode; readonly at: number } | null;
};

export type HealthEvent =
  /** A task or a probe was answered. */
  | { readonly type: 'succeeded' }
  /** A task or a probe failed. `isLastLive`: no other endpoint of the chain is of use. */
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly retryAfterMs: number | undefined; readonly isLastLive: boolean }
  /** Our own budget for it has no room for so long. */
  | { readonly type: 'spent'; readonly forMs: number }
  /** Another endpoint was asked in its place, and answered first. */
  | { readonly type: 'outpaced' }
  /** The breaker opened by itself. */
  | { readonly type: 'broken' }
  /** Its head was compared with the others'. */
  | { readonly type: 'compared'; readonly isBehind: boolean }
  /** Only time has passed. */
  | { readonly type: 'tick' };

/** How long an endpoint that failed stands behind the others. */
const DEMOTED_FOR_MS = 30_000;
const DEFAULT_LIMIT_PAUSE_MS = 5_000;
/** Some servers refuse and say "again in 0 seconds". */
const MIN_LIMIT_PAUSE_MS = 1_000;
const FAILURES_TO_DROP = 3;
/** So many failures in a row drop the last endpoint too: with its breaker open it fails at once instead of slowly. */
const STREAK_TO_DROP = 5;
const GOOD_PROBES_TO_RETURN = 3;

/** An endpoint of which nothing is known yet. */
export function newHealth(now: number): EndpointHealth {
  return {
    state: 'alive',
    since: now,
    failures: 0,
    streak: 0,
    goodProbes: 0,
    demotedUntil: 0,
    limitedUntil: 0,
    lastError: null,
  };
}

/** The health after an event. */
export function advance(health: EndpointHealth, event: HealthEvent, now: number): EndpointHealth {
  const next = react(health, event, now);
  return next.state === health.state ? next : { ...next, since: now, goodProbes: next.state === 'probing' ? 1 : 0 };
}

/** Whether the endpoint serves, well or less well. One that is limited does, later. */
export function isLive(state: EndpointState): boolean {
  return state === 'alive' || state === 'lagging' || state === 'limited';
}

function react(health: EndpointHealth, event: HealthEvent, now: number): EndpointHealth {
  switch (event.type) {
    case 'succeeded':
      return comeBack({ ...health, failures: Math.max(0, health.failures - 1), streak: 0, demotedUntil: 0 });
    case 'failed':
      return fail(health, event, now);
    case 'spent':
      return { ...health, limitedUntil: now + event.forMs, state: isLive(health.state) ? 'limited' : health.state };
    case 'outpaced':
      return { ...health, demotedUntil: now + DEMOTED_FOR_MS };
    case 'broken':
      return isLive(health.state) ? { ...health, state: 'unreachable' } : health;
    case 'compared':
      return compare(health, event.isBehind);
    case 'tick':
      return health.state === 'limited' && health.limitedUntil <= now ? { ...health, state: 'alive' } : health;
  }
}

function comeBack(health: EndpointHealth): EndpointHealth {
  if (isLive(health.state)) return health;
  if (health.state !== 'probing') return { ...health, state: 'probing' };
  const goodProbes = health.goodProbes + 1;
  return goodProbes < GOOD_PROBES_TO_RETURN ? { ...health, goodProbes } : { ...health, state: 'alive', failures: 0 };
}

function fail(
  health: EndpointHealth,
  { code, retryAfterMs, isLastLive }: Extract<HealthEvent, { type: 'failed' }>,
  now: number,
): EndpointHealth {
  const told = { ...health, lastError: { code, at: now } };
  if (code === 'upstream_rate_limited') {
    const limitedUntil = now + Math.max(retryAfterMs ?? DEFAULT_LIMIT_PAUSE_MS, MIN_LIMIT_PAUSE_MS);
    return { ...told, limitedUntil, state: isLive(health.state) ? 'limited' : health.state };
  }
  // What speaks against the question only is remembered nowhere: the next one may be a good one.
  if (!adviseRetry(code).blamesEndpoint) return health;
  const failed = {
    ...told,
    failures: health.failures + 1,
    streak: health.streak + 1,
    goodProbes: 0,
    demotedUntil: now + DEMOTED_FOR_MS,
  };
  return { ...failed, state: stateAfterFailure(failed, code, isLastLive) };
}

function stateAfterFailure({ state, failures, streak }: EndpointHealth, code: ErrorCode, isLastLive: boolean): EndpointState {
  if (code === 'upstream_wrong_chain') return 'wrong_chain';
  if (code === 'upstream_unauthorized') return 'unauthorized';
  // An endpoint that flaps begins again from the start.
  if (state === 'probing') return 'unreachable';
  const isDown = streak >= STREAK_TO_DROP || (failures >= FAILURES_TO_DROP && !isLastLive);
  return isDown && isLive(state) ? 'unreachable' : state;
}

function compare(health: EndpointHealth, isBehind: boolean): EndpointHealth {
  if (health.state === 'alive' && isBehind) return { ...health, state: 'lagging' };
  if (health.state !== 'lagging') return health;
  const goodProbes = isBehind ? 0 : health.goodProbes + 1;
  return goodProbes < GOOD_PROBES_TO_RETURN ? { ...health, goodProbes } : { ...health, state: 'alive' };
}

/** How long until an endpoint is looked at again, in units of the shortest usual wait. What goes on failing is looked at less and less. */
export function probeDelayUnits({ state, streak, demotedUntil }: EndpointHealth, now: number): number {
  switch (state) {
    case 'alive':
    case 'limited':
      return demotedUntil > now ? 1 : 6;
    case 'probing':
      return 0.4;
    case 'lagging':
      return 2;
    case 'unreachable':
      return Math.min(2 ** Math.max(0, streak - FAILURES_TO_DROP), 6);
    case 'wrong_chain':
      return Math.min(2 ** streak, 12);
    case 'unauthorized':
      return Math.min(2 ** streak, 60);
  }
}
