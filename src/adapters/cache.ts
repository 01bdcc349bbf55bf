import type { ErrorCode } from '../domain/errors.ts';

/** An answer as it goes out: its bytes and their tag, which never have to be made again. */
export type RenderedAnswer = { readonly bytes: Buffer; readonly etag: string };

/**
 * Where an answer came from: the memory of this process or Redis, both fresh; an expired one while a new one is being made (`stale`); one made for this
 * call, for an equal call in flight, or for a caller who wanted none that is stored; the last one there is, since no new one could be made (`fallback`).
 */
export type CacheOutcome = 'memory_hit' | 'redis_hit' | 'stale' | 'miss' | 'joined' | 'bypass' | 'fallback';

export type CachedAnswer = RenderedAnswer & {
  readonly outcome: CacheOutcome;
  readonly ageMs: number;
  /** How long it is fresh still; below zero when it is not. */
  readonly ttlMs: number;
  /** Why it is a fallback, else null. */
  readonly detail: ErrorCode | null;
};

export type CacheRequest = {
  /** The state of the data that the answer has to tell; an answer of any other is never passed off as fresh. */
  readonly version: string;
  /** Takes nothing that is stored, only stores. */
  readonly isBypass: boolean;
  readonly load: () => Promise<RenderedAnswer>;
};

/** Rendered answers by key. Equal calls at one moment share one load, which no caller can abort. What goes wrong inside is a miss, never an error. */
export type AnswerCache = {
  /** The answer of this version that is in memory and fresh. */
  getFresh(key: string, version: string): CachedAnswer | undefined;
  /** Throws what `load` throws, unless the database failed it and an answer of the last ten minutes is left. */
  getOrLoad(key: string, request: CacheRequest): Promise<CachedAnswer>;
  /** The last answer, of whatever version, if it is not older than ten minutes: for when the version cannot be told. */
  getLast(key: string): Promise<CachedAnswer | undefined>;
};

/** Bytes by key that all processes share, best effort: whatever fails is a missing entry. */
export type SharedStore = {
  get(key: string): Promise<Buffer | undefined>;
  /** Does not wait. */
  set(key: string, bytes: Buffer, ttlMs: number): void;
  close(): Promise<void>;
};

/** What `read` gives of a tenant's data, read once for each version of them. To be changed by nobody. */
export type ShareByVersion<T> = (tenantId: string, read: () => Promise<T>) => Promise<T>;
