import { createAnswerCache } from '../adapters/cache/answer-cache.ts';
import { createRedisStore } from '../adapters/cache/redis-store.ts';
import type { Config } from '../config.ts';
import type { ChangeFeed } from '../db/change-feed.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { type AnswerService, createAnswerService } from '../services/answer-service.ts';
import { createWatchedPart } from '../services/watched-part.ts';
import type { Services } from './compose-services.ts';

type AnswersDeps = {
  readonly feed: ChangeFeed;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'onCache' | 'onRedis'>;
  readonly services: Pick<Services, 'health'>;
  readonly version: string;
  readonly now: () => Date;
};

/** Makes what keeps answers: in this process, and in Redis where there is one. */
export function composeAnswers(
  { redisCacheUrl: url }: Config,
  { feed, log, metrics, services, version, now }: AnswersDeps,
): { readonly answers: AnswerService; close(): Promise<void> } {
  const redis = createWatchedPart({ name: 'cache', now });
  if (url !== null) services.health.addParts(() => [redis.get()]);
  const shared =
    url === null
      ? undefined
      : createRedisStore({
          url,
          // Another release may answer otherwise.
          prefix: `chainfolio:${version}:answer:`,
          log,
          onCommand(command) {
            redis.note(command.isGood);
            metrics.onRedis({ client: 'cache', ...command });
          },
        });
  const cache = createAnswerCache({ shared, now: Date.now, onOutcome: metrics.onCache });
  return { answers: createAnswerService({ cache, feed }), close: async () => shared?.close() };
}
