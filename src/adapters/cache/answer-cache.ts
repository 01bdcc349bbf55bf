import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { AnswerCache, CachedAnswer, CacheOutcome, CacheRequest, SharedStore } from '../cache.ts';
import { createEntryLevels, isYounger, type KeptEntry } from './entry-levels.ts';

type AnswerCacheOptions = {
  /** The level behind this process; undefined: there is none. */
  readonly shared: SharedStore | undefined;
  /** Milliseconds of the wall clock, the one that processes have in common. */
  readonly now: () => number;
  readonly onOutcome: (outcome: CacheOutcome) => void;
};

/** Until this age an expired answer goes out at once while one call makes a new one. */
const GRACE_MS = 30_000;
/** How long a caller waits for a new answer while the last one could be had. */
const PATIENCE_MS = 3_000;

type Made = { readonly entry: KeptEntry; readonly outcome: 'redis_hit' | 'miss' | 'bypass' };

/** Answers in the memory of this process, then in the shared store. */
export function createAnswerCache({ shared, now, onOutcome }: AnswerCacheOptions): AnswerCache {
  const levels = createEntryLevels({ shared, now });
  const flights = new Map<string, Promise<Made>>();

  const make = async (key: string, { version, isBypass, load }: CacheRequest): Promise<Made> => {
    const found = isBypass ? undefined : await levels.findShared(key);
    if (found?.version === version && isYounger(now() - found.createdAt, found.freshMs)) {
      return { entry: found, outcome: 'redis_hit' };
    }
    // Ages count from before the data were read.
    const createdAt = now();
    const entry = { ...(await load()), version, createdAt };
    return { entry: levels.keep(key, entry), outcome: isBypass ? 'bypass' : 'miss' };
  };
  /** Joins the load of the same answer that is under way, or starts it. */
  const join = (key: string, request: CacheRequest): { work: Promise<Made>; isJoined: boolean } => {
    if (request.isBypass) return { work: make(key, request), isJoined: false };
    const name = `${request.version} ${key}`;
    const known = flights.get(name);
    if (known !== undefined) return { work: known, isJoined: true };
    const work = make(key, request).finally(() => flights.delete(name));
    flights.set(name, work);
    return { work, isJoined: false };
  };
  const tell = (entry: KeptEntry, outcome: CacheOutcome, detail: ErrorCode | null = null): CachedAnswer => {
    onOutcome(outcome);
    const ageMs = Math.max(0, now() - entry.createdAt);
    const ttlMs = entry.freshMs - ageMs;
    // Nobody can say of a last answer that it is fresh, however young it is.
    return { bytes: entry.bytes, etag: entry.etag, outcome, ageMs, ttlMs: detail === null ? ttlMs : Math.min(ttlMs, 0), detail };
  };

  return {
    async getOrLoad(key, request) {
      const entry = levels.find(key);
      if (entry !== undefined && entry.version === request.version && !request.isBypass) {
        const ageMs = now() - entry.createdAt;
        if (isYounger(ageMs, entry.freshMs)) return tell(entry, 'memory_hit');
        if (isYounger(ageMs, GRACE_MS)) {
          join(key, request).work.catch(() => undefined);
          return tell(entry, 'stale');
        }
      }
      const { work, isJoined } = join(key, request);
      try {
        const made = await (entry === undefined ? work : withPatience(work));
        return tell(made.entry, isJoined ? 'joined' : made.outcome);
      } catch (error) {
        const last = isDatabaseFault(error) ? levels.find(key) : undefined;
        if (last === undefined) throw error;
        return tell(last, 'fallback', 'database_unavailable');
      }
    },
    async getLast(key) {
      const entry = levels.find(key) ?? (await levels.findShared(key));
      return entry === undefined ? undefined : tell(entry, 'fallback', 'database_unavailable');
    },
  };
}

function isDatabaseFault(error: unknown): boolean {
  return error instanceof AppError && error.code === 'database_unavailable';
}

/** The work, which goes on in any case, or database_unavailable when it takes too long. */
async function withPatience(work: Promise<Made>): Promise<Made> {
  work.catch(() => undefined);
  const timeUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    timeUp.reject(new AppError('database_unavailable', 'The database does not answer in time.'));
  }, PATIENCE_MS);
  try {
    return await Promise.race([work, timeUp.promise]);
  } finally {
    clearTimeout(timer);
  }
}
