import { AppError } from '../../domain/errors.ts';
import { untilAborted } from '../until-aborted.ts';
import type { RpcEndpoint } from './rpc-endpoint.ts';

/**
 * The endpoints of one chain, in order of preference. `run` hands a task a verified endpoint (its chain id or genesis hash has
 * been checked) and moves on to the next one when the task throws an AppError that another endpoint might not throw. Health
 * states, breakers and hedging belong here and nowhere else.
 */
export type EndpointPool = {
  /**
   * Runs the task on the first endpoint that serves it. Rejects with the last endpoint's AppError when none does, with
   * `upstream_unsupported` only when none failed otherwise, and at once with what no endpoint can help: see `isFinal`.
   */
  run<T>(task: (endpoint: RpcEndpoint) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** The masked names, in order. */
  readonly names: readonly string[];
};

type EndpointPoolOptions = {
  readonly endpoints: readonly RpcEndpoint[];
  /** Throws upstream_wrong_chain when the endpoint serves another chain than ours. */
  readonly verify: (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void>;
};

/** What is remembered of an endpoint between calls. */
type Standing = { verification: Promise<void> | undefined; verifiedAt: number; limitedUntil: number; failedUntil: number };

/** The chain behind a URL can change, so a check is believed for this long. */
const VERIFIED_FOR_MS = 5 * 60_000;
const VERIFY_TIMEOUT_MS = 5_000;
/** How long an endpoint that failed stands behind the others. */
const DEMOTED_FOR_MS = 30_000;
const DEFAULT_LIMIT_PAUSE_MS = 5_000;
/** Some servers refuse and say "again in 0 seconds". */
const MIN_LIMIT_PAUSE_MS = 1_000;

/** Failures that say something about the endpoint and not about what it was asked. */
const ENDPOINT_FAULTS: ReadonlySet<string> = new Set([
  'upstream_timeout',
  'upstream_unreachable',
  'upstream_malformed',
  'upstream_redirect',
  'upstream_encoding',
  'upstream_status',
  'upstream_unauthorized',
  'upstream_wrong_chain',
]);
export function createEndpointPool({ endpoints, verify }: EndpointPoolOptions): EndpointPool {
  const standings = new Map<RpcEndpoint, Standing>(
    endpoints.map((endpoint) => [endpoint, { verification: undefined, verifiedAt: 0, limitedUntil: 0, failedUntil: 0 }]),
  );

  /** One check for all who wait; nobody's abort ends it for the others. */
  const requireVerified = (endpoint: RpcEndpoint, standing: Standing): Promise<void> => {
    if (Date.now() - standing.verifiedAt < VERIFIED_FOR_MS) return Promise.resolve();
    standing.verification ??= verify(endpoint, AbortSignal.timeout(VERIFY_TIMEOUT_MS))
      .then(
        () => {
          standing.verifiedAt = Date.now();
        },
        (error: unknown) => {
          // The only one who can give a check up is its own clock.
          const isLate = error instanceof AppError && error.code === 'upstream_aborted';
          throw isLate
            ? new AppError('upstream_timeout', `${endpoint.name} did not answer in time.`, { provider: endpoint.name })
            : error;
        },
      )
      .finally(() => {
        standing.verification = undefined;
      });
    return standing.verification;
  };

  const attempt = async <T>(
    [endpoint, standing]: readonly [RpcEndpoint, Standing],
    task: (endpoint: RpcEndpoint) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> => {
    try {
      await untilAborted(requireVerified(endpoint, standing), signal);
      const result = await task(endpoint);
      standing.failedUntil = 0;
      return result;
    } catch (error) {
      if (error instanceof AppError) noteFailure(standing, error);
      throw error;
    }
  };

  return {
    names: endpoints.map((endpoint) => endpoint.name),
    async run(task, signal) {
      let last: AppError | undefined;
      for (const entry of inOrder(standings)) {
        if (signal.aborted) throw new AppError('upstream_aborted', 'The call was given up.', { cause: last });
        try {
          return await attempt(entry, task, signal);
        } catch (error) {
          if (!(error instanceof AppError) || isFinal(error)) throw error;
          // One that failed otherwise might have supported it: "unsupported" would say too much.
          if (last === undefined || error.code !== 'upstream_unsupported') last = error;
        }
      }
      throw last ?? new AppError('upstream_no_endpoint', 'No endpoint is configured for this chain.');
    },
  };
}

/** Whether every endpoint would repeat the failure: an answer that the task made of what it read, a revert, and the caller's own end. */
function isFinal({ code }: AppError): boolean {
  return !code.startsWith('upstream_') || code === 'upstream_reverted' || code === 'upstream_aborted';
}

function noteFailure(standing: Standing, { code, retryAfterMs }: AppError): void {
  if (code === 'upstream_rate_limited') {
    standing.limitedUntil = Date.now() + Math.max(retryAfterMs ?? DEFAULT_LIMIT_PAUSE_MS, MIN_LIMIT_PAUSE_MS);
  }
  if (!ENDPOINT_FAULTS.has(code)) return;
  standing.failedUntil = Date.now() + DEMOTED_FOR_MS;
  standing.verifiedAt = 0;
}

/**
 * Endpoints in good standing first, in their configured order, then those that failed lately. One that asked for a pause is left alone,
 * unless all did: then the one whose pause ends first is tried.
 */
function inOrder(standings: ReadonlyMap<RpcEndpoint, Standing>): readonly (readonly [RpcEndpoint, Standing])[] {
  const now = Date.now();
  const free = [...standings].filter(([, { limitedUntil }]) => limitedUntil <= now);
  if (free.length === 0) return [...standings].sort(([, a], [, b]) => a.limitedUntil - b.limitedUntil).slice(0, 1);
  const isGood = ([, { failedUntil }]: readonly [RpcEndpoint, Standing]): boolean => failedUntil <= now;
  return [...free.filter(isGood), ...free.filter((entry) => !isGood(entry))];
}
