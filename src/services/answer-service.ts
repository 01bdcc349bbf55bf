import type { AnswerCache, CachedAnswer, RenderedAnswer } from '../adapters/cache.ts';

export type { CachedAnswer } from '../adapters/cache.ts';

import type { ChangeFeed } from '../db/change-feed.ts';
import type { DataVersion } from '../db/data-version.ts';
import { toAppError } from '../domain/errors.ts';

/** Answers to reads of what is stored, kept as long as what they tell is so. */
export type AnswerService = {
  /**
   * A fresh answer to the request that `key` names: one that tells what is committed now and is ten seconds old at most. An expired one while a new one
   * is being made, and the last one, of ten minutes at most, while the database cannot serve; both say so. Throws what `render` throws. What is at
   * hand comes without a promise, which would cost more than all the rest.
   */
  read(request: AnswerRequest): CachedAnswer | Promise<CachedAnswer>;
  /** Tells that this process has changed what the tenant sees: the next answer shows it. */
  noteWrite(tenantId: string): void;
};

type AnswerRequest = {
  readonly tenantId: string;
  /** The same for equal requests of the tenant, and for no others. */
  readonly key: string;
  /** Whether the caller takes nothing that is stored. */
  readonly isBypass: boolean;
  readonly render: () => Promise<RenderedAnswer>;
};

type AnswerServiceDeps = {
  readonly cache: AnswerCache;
  readonly feed: Pick<ChangeFeed, 'knownVersion' | 'currentVersion' | 'askVersion' | 'forget'>;
};

export function createAnswerService({ cache, feed }: AnswerServiceDeps): AnswerService {
  const find = async (name: string, { tenantId, isBypass, render }: AnswerRequest): Promise<CachedAnswer> => {
    let version: DataVersion;
    try {
      version = await (isBypass ? feed.askVersion(tenantId) : feed.currentVersion(tenantId));
    } catch (error) {
      if (toAppError(error).code !== 'database_unavailable') throw error;
      return (await cache.getLast(name)) ?? toUnstored(await render());
    }
    return cache.getOrLoad(name, { version: version.key, isBypass, load: render });
  };
  return {
    read(request) {
      const { tenantId, key, isBypass } = request;
      const name = `${tenantId} ${key}`;
      const known = isBypass ? undefined : feed.knownVersion(tenantId);
      const fresh = known === undefined ? undefined : cache.getFresh(name, known.key);
      return fresh ?? find(name, request);
    },
    noteWrite: feed.forget,
  };
}

/** An answer that nothing is known of but that it was made just now. */
function toUnstored(answer: RenderedAnswer): CachedAnswer {
  return { ...answer, outcome: 'bypass', ageMs: 0, ttlMs: 0, detail: null };
}
