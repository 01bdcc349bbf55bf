import { AppError, toAppError } from '../../../domain/errors.ts';
import { untilAborted } from '../../until-aborted.ts';
import { OpenBreakerError } from '../guard/endpoint-breaker.ts';
import { createLatencyWindow, type LatencyWindow } from '../guard/latency-window.ts';
import type { RpcEndpoint } from '../rpc-endpoint.ts';
import {
  advance,
  type EndpointHealth,
  type EndpointState,
  type HealthEvent,
  isLive,
  newHealth,
  probeDelayUnits,
} from './endpoint-state.ts';
import type { HeadMonitor } from './head-monitor.ts';

export type Task<T> = (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<T>;

export type StateReport = { readonly endpoint: string; readonly from: EndpointState; readonly to: EndpointState };

/** An endpoint in its pool: what is known of it, and the ways to ask it. */
export type EndpointMember = {
  readonly endpoint: RpcEndpoint;
  /** How long those tasks took that may be hedged. */
  readonly hedgeLatency: LatencyWindow;
  health(): EndpointHealth;
  note(event: HealthEvent): void;
  /** Runs the task when the chain behind the endpoint is ours, and learns from how it ends. */
  attempt<T>(task: Task<T>, signal: AbortSignal): Promise<T>;
  /** Looks at the endpoint in the background. Never rejects. */
  probe(): Promise<void>;
  dueInMs(): number;
};

export type MemberOptions = {
  readonly endpoint: RpcEndpoint;
  /** Throws upstream_wrong_chain when the endpoint serves another chain than ours. */
  readonly verify: Verify;
  /** Reads the newest block as tasks do. */
  readonly probeHead: ProbeHead | undefined;
  readonly heads: HeadMonitor<RpcEndpoint>;
  /** Whether no other endpoint of the pool is of use. */
  readonly isLastLive: () => boolean;
  readonly onState: ((report: StateReport) => void) | undefined;
  readonly probeUnitMs: number;
};

export type Verify = (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void>;
export type ProbeHead = (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<bigint>;

/** The chain behind a URL can change, so a check is believed for this long. */
const VERIFIED_FOR_MS = 5 * 60_000;
const VERIFY_TIMEOUT_MS = 5_000;
const PROBE_TIMEOUT_MS = 5_000;
/** A wait this long is not for the pace but for the next day. */
const SPENT_MS = 60_000;

export function createEndpointMember(options: MemberOptions): EndpointMember {
  const { endpoint, verify, probeHead, heads } = options;
  const record = createRecord(options);
  const verification = createVerification(endpoint, verify);
  let lookedAt = Date.now();

  const fail = (thrown: unknown): void => {
    // A refusal by our own breaker tells nothing new.
    if (!(thrown instanceof AppError) || thrown instanceof OpenBreakerError) return;
    if (record.noteFailure(thrown)) verification.forget();
  };
  return {
    endpoint,
    hedgeLatency: createLatencyWindow(),
    health: record.health,
    note: record.note,
    async attempt(task, signal) {
      try {
        await untilAborted(verification.require(), signal);
        const result = await task(endpoint, signal);
        record.note({ type: 'succeeded' });
        return result;
      } catch (error) {
        fail(error);
        throw error;
      }
    },
    async probe() {
      lookedAt = Date.now();
      const isLook = record.health().state === 'alive';
      try {
        if (!isLook) verification.forget();
        await verification.require(endpoint.pastBreaker());
        if (probeHead !== undefined) {
          heads.note(
            endpoint,
            await inTime(endpoint.name, PROBE_TIMEOUT_MS, (signal) => probeHead(endpoint.pastBreaker(), signal)),
          );
        }
        record.note({ type: 'succeeded' });
        record.note({ type: 'compared', isBehind: heads.view(endpoint).isBehind });
      } catch (error) {
        fail(error);
      }
    },
    dueInMs() {
      const health = record.health();
      const since = Math.max(lookedAt, health.since, health.lastError?.at ?? 0);
      const dueAt = since + probeDelayUnits(health, Date.now()) * options.probeUnitMs;
      return Math.max(dueAt, health.limitedUntil) - Date.now();
    },
  };
}

/** The endpoint's health, with what follows from its changes: the breaker obeys it, and whoever counts states is told. */
function createRecord({ endpoint, heads, isLastLive, onState }: MemberOptions): {
  health(): EndpointHealth;
  note(event: HealthEvent): void;
  /** Whether it speaks against the endpoint. */
  noteFailure(error: AppError): boolean;
} {
  const { guard, name } = endpoint;
  let health = newHealth(Date.now());
  const note = (event: HealthEvent): void => {
    const before = health;
    health = advance(health, event, Date.now());
    if (health.state === before.state) return;
    if (isLive(health.state) || health.state === 'probing') guard.breaker.close();
    if (health.state === 'wrong_chain') heads.forget(endpoint);
    onState?.({ endpoint: name, from: before.state, to: health.state });
  };
  guard.breaker.onOpen(() => note({ type: 'broken' }));
  return {
    note,
    health() {
      note({ type: 'tick' });
      const waitMs = guard.waitMs();
      if (waitMs > SPENT_MS) note({ type: 'spent', forMs: waitMs });
      return health;
    },
    noteFailure({ code, retryAfterMs }) {
      const { failures } = health;
      note({ type: 'failed', code, retryAfterMs, isLastLive: isLastLive() });
      const isBlamed = health.failures > failures;
      // Each failure of one that is down keeps it away for another while.
      if (isBlamed && !isLive(health.state)) guard.breaker.open(code);
      return isBlamed;
    },
  };
}

/** The check that the endpoint serves our chain: one for all who wait, and nobody's abort ends it for the others. */
function createVerification(endpoint: RpcEndpoint, verify: Verify): { require(by?: RpcEndpoint): Promise<void>; forget(): void } {
  let running: Promise<void> | undefined;
  let verifiedAt = 0;
  return {
    require(by = endpoint) {
      if (Date.now() - verifiedAt < VERIFIED_FOR_MS) return Promise.resolve();
      running ??= inTime(endpoint.name, VERIFY_TIMEOUT_MS, (signal) => verify(by, signal))
        .then(() => {
          verifiedAt = Date.now();
        })
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    forget() {
      verifiedAt = 0;
    },
  };
}

/** The only one who can give such a call up is its own clock. */
async function inTime<T>(name: string, timeoutMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await call(AbortSignal.timeout(timeoutMs));
  } catch (error) {
    if (toAppError(error).code !== 'upstream_aborted') throw error;
    throw new AppError('upstream_timeout', `${name} did not answer in time.`, { provider: name });
  }
}
