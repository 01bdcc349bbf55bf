import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type ErrorCode, toAppError } from '../../../domain/errors.ts';
import { startDeadline } from '../../deadline.ts';
import type { Verdict } from '../rpc-verdict.ts';
import { type CallBudget, createCallBudget } from './call-budget.ts';
import { type CallPacer, createCallPacer } from './call-pacer.ts';
import { createEndpointBreaker, type EndpointBreaker, type Sent } from './endpoint-breaker.ts';
import { createLatencyWindow } from './latency-window.ts';
import { createSemaphore, type Semaphore } from './semaphore.ts';

/** What is told of every HTTP request that went out. */
export type CallReport = {
  /** `batch` for calls of several methods in one request. */
  readonly method: string;
  readonly outcome: 'ok' | ErrorCode;
  readonly seconds: number;
};

export type Exchange<T> = {
  /** The calls of the request, by method. */
  readonly methods: readonly string[];
  readonly signal: AbortSignal;
  readonly send: () => Promise<T>;
  readonly judge: (answer: T) => Verdict;
  /** A health check asks past the breaker, which would otherwise hide that the endpoint is back. */
  readonly isProbe: boolean;
};

/** Stands before every request to an endpoint: its breaker, the calls it may have in flight, its rate and its budget. */
export type EndpointGuard = {
  /** @throws AppError what `send` throws, `upstream_rate_limited` when the budget has no room in time, or OpenBreakerError. */
  run<T>(exchange: Exchange<T>): Promise<T>;
  readonly breaker: Pick<EndpointBreaker, 'open' | 'close' | 'onOpen'>;
  /** How long one more call would have to wait. */
  waitMs(): number;
  largestBatch(): number;
  status(): ReturnType<CallPacer['status']> & {
    readonly breaker: ReturnType<EndpointBreaker['state']>;
    readonly latencyP95Ms: number | null;
  };
};

export type EndpointGuardOptions = {
  readonly name: string;
  readonly timeoutMs: number;
  /** Whether the endpoint is a node of one's own. */
  readonly isOwn: boolean;
  /** Shared by endpoints of one provider. */
  readonly budget?: CallBudget;
  readonly onCall?: (report: CallReport) => void;
};

/** As many as the HTTP client has connections for one host: more would wait there, on the clock of their own request. */
const CALLS_AT_ONCE = 16;
/** Who would have to wait for longer asks another endpoint. */
const MAX_WAIT_MS = 10_000;
const NO_LIMITS = { perSecond: null, perDay: null };

export function createEndpointGuard({ name, timeoutMs, isOwn, budget, onCall }: EndpointGuardOptions): EndpointGuard {
  const pacer = createCallPacer({ budget: budget ?? createCallBudget(NO_LIMITS), isOwn });
  const breaker = createEndpointBreaker({ name, timeoutMs });
  const gates: Gates = { name, pacer, places: createSemaphore(CALLS_AT_ONCE), lane: createSemaphore(1) };
  const latency = createLatencyWindow();

  const send = async <T>({ methods, send: sendNow, judge }: Exchange<T>): Promise<Sent<T>> => {
    const startedAt = performance.now();
    const report = (outcome: CallReport['outcome']): void => {
      const ms = performance.now() - startedAt;
      if (outcome !== 'upstream_aborted') latency.note(ms);
      onCall?.({ method: sharedName(methods), outcome, seconds: ms / 1_000 });
    };
    try {
      const answer = await sendNow();
      const { outcome, isFault, refused } = judge(answer);
      report(outcome);
      if (refused === 'none') pacer.noteServed();
      else pacer.noteRefused({ isPart: refused === 'part' });
      return { answer, fault: isFault && outcome !== 'ok' ? outcome : undefined };
    } catch (thrown) {
      report(toAppError(thrown).code);
      throw thrown;
    }
  };

  return {
    breaker,
    async run(exchange) {
      if (!exchange.isProbe) breaker.refuseIfOpen();
      const leave = await enter(gates, exchange);
      try {
        return exchange.isProbe ? (await send(exchange)).answer : await breaker.run(() => send(exchange));
      } finally {
        leave();
      }
    },
    waitMs: () => pacer.waitMs(1),
    largestBatch: () => pacer.largestBatch(),
    status: () => ({ ...pacer.status(), breaker: breaker.state(), latencyP95Ms: latency.p95() ?? null }),
  };
}

function sharedName(methods: readonly string[]): string {
  const [first = 'batch', ...others] = new Set(methods);
  return others.length === 0 ? first : 'batch';
}

type Gates = {
  readonly name: string;
  readonly places: Semaphore;
  /** The way out, one at a time, so that the calls are counted at the moment they go. */
  readonly lane: Semaphore;
  readonly pacer: CallPacer;
};

type Waiting = { readonly methods: readonly string[]; readonly signal: AbortSignal };

/** Waits for a place and for the pace to allow it, for a while; then the calls count as made. */
async function enter({ name, places, lane, pacer }: Gates, { methods, signal }: Waiting): Promise<() => void> {
  const calls = methods.length;
  const deadline = startDeadline(signal, MAX_WAIT_MS);
  const endsAt = performance.now() + MAX_WAIT_MS;
  const noRoom = (retryAfterMs: number): AppError =>
    new AppError('upstream_rate_limited', `The budget of ${name} has no room now.`, { provider: name, retryAfterMs });
  const held: (() => void)[] = [];
  try {
    held.push(await places.acquire(deadline.signal));
    const leaveLane = await lane.acquire(deadline.signal);
    held.push(leaveLane);
    for (let waitMs = pacer.waitMs(calls); waitMs > 0; waitMs = pacer.waitMs(calls)) {
      if (performance.now() + waitMs > endsAt) throw noRoom(waitMs);
      await sleep(waitMs, undefined, { signal: deadline.signal });
    }
    pacer.note(calls);
    leaveLane();
    return () => held[0]?.();
  } catch (error) {
    for (const release of held) release();
    if (error instanceof AppError && error.code === 'upstream_rate_limited') throw error;
    if (signal.aborted) throw new AppError('upstream_aborted', `The call to ${name} was given up.`, { provider: name });
    throw noRoom(pacer.waitMs(calls));
  } finally {
    deadline.end();
  }
}
