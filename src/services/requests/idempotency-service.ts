import { randomUUID } from 'node:crypto';
import type { IdempotencyStore } from '../../db/requests/idempotency-store.ts';
import { AppError } from '../../domain/errors.ts';

/** A write that its client may send again. */
export type RepeatableWrite = {
  /** What the client calls it. */
  readonly key: string;
  /** The same for the same request, and for no other. */
  readonly fingerprint: string;
};

/** What came of doing it: `kept` is what repeats are answered with, null for what is better tried again. */
export type WriteOutcome<T> = { readonly value: T; readonly kept: string | null };

export type IdempotencyService = {
  /**
   * Does the write, or tells what was kept of it when it was done before. Throws idempotency_key_in_use while it is being done, idempotency_key_reused when the
   * key came with another request, and what `work` throws, which leaves the key free.
   */
  run<T>(
    tenantId: string,
    write: RepeatableWrite,
    work: () => Promise<WriteOutcome<T>>,
  ): Promise<{ readonly status: 'done'; readonly value: T } | { readonly status: 'replayed'; readonly kept: string }>;
  /** Forgets what is too old to be repeated. */
  forgetOld(signal: AbortSignal): Promise<void>;
};

type IdempotencyServiceDeps = {
  readonly store: IdempotencyStore;
  readonly log: { warn(details: object, message: string): void };
};

const KEPT_SECONDS = 86_400;
/** A process that dies leaves its keys locked for this long. */
const LEASE_SECONDS = 30;
const RENEW_MS = 10_000;
const RETRY_AFTER_MS = 1_000;
const DELETED_AT_ONCE = 10_000;

/** One effect for one key, across all processes of one database. */
export function createIdempotencyService({ store, log }: IdempotencyServiceDeps): IdempotencyService {
  return {
    async run(tenantId, { key, fingerprint }, work) {
      const attempt = { key, attemptId: randomUUID() };
      const leaseSeconds = LEASE_SECONDS;
      const begun = await store.begin(tenantId, { ...attempt, fingerprint, leaseSeconds, keptSeconds: KEPT_SECONDS });
      if (begun.status === 'answered') return { status: 'replayed', kept: begun.answer };
      if (begun.status !== 'begun') throw refusal(begun.status);
      const warn = (error: unknown): void => log.warn({ err: error }, 'an Idempotency-Key could not be brought up to date');
      const renewing = setInterval(() => {
        store.renew(tenantId, { ...attempt, leaseSeconds }).catch(warn);
      }, RENEW_MS);
      try {
        const { value, kept } = await work();
        // Whether it can be kept or not, it is done.
        await (kept === null ? store.release(tenantId, attempt) : store.keep(tenantId, { ...attempt, answer: kept })).catch(warn);
        return { status: 'done', value };
      } catch (error) {
        await store.release(tenantId, attempt).catch(warn);
        throw error;
      } finally {
        clearInterval(renewing);
      }
    },
    async forgetOld(signal) {
      let count = DELETED_AT_ONCE;
      while (count === DELETED_AT_ONCE && !signal.aborted) {
        count = await store.deleteOld({ keptSeconds: KEPT_SECONDS, limit: DELETED_AT_ONCE });
      }
    },
  };
}

function refusal(status: 'under_way' | 'other_request'): AppError {
  return status === 'under_way'
    ? new AppError('idempotency_key_in_use', 'The first request with this key has not been answered yet.', {
        retryAfterMs: RETRY_AFTER_MS,
      })
    : new AppError('idempotency_key_reused', 'This key came with another request. Give each request a key of its own.');
}
