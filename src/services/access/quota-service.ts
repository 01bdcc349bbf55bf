import type { QuotaStore } from '../../db/access/quota-store.ts';
import type { Quotas } from '../../domain/quotas.ts';

export type QuotaService = {
  /** What a tenant may. What is known comes without a promise, which every request would have to wait for. Never throws. */
  get(tenantId: string): Quotas | Promise<Quotas>;
};

type QuotaServiceDeps = {
  readonly store: Pick<QuotaStore, 'get'>;
  /** What a tenant may for which nothing else was set. */
  readonly defaults: Quotas;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsedMs: () => number;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

/** A change holds after this time. */
const FRESH_MS = 5_000;
/** For so long the old ones go on while they are read anew, so that a database that hangs holds up nobody who is served from the cache. */
const STALE_MS = 60_000;

export function createQuotaService({ store, defaults, elapsedMs, log }: QuotaServiceDeps): QuotaService {
  const known = new Map<string, { readonly quotas: Quotas; readonly readAtMs: number }>();
  const reading = new Map<string, Promise<Quotas>>();
  const read = async (tenantId: string): Promise<Quotas> => {
    let quotas = known.get(tenantId)?.quotas ?? defaults;
    try {
      quotas = { ...defaults, ...(await store.get(tenantId)) };
    } catch (error) {
      log.warn({ err: error }, 'quotas cannot be read: the last known ones hold');
    }
    known.set(tenantId, { quotas, readAtMs: elapsedMs() });
    reading.delete(tenantId);
    return quotas;
  };
  return {
    get(tenantId) {
      const entry = known.get(tenantId);
      const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : elapsedMs() - entry.readAtMs;
      if (entry !== undefined && ageMs < FRESH_MS) return entry.quotas;
      const anew = reading.get(tenantId) ?? read(tenantId);
      reading.set(tenantId, anew);
      return entry !== undefined && ageMs < STALE_MS ? entry.quotas : anew;
    },
  };
}
