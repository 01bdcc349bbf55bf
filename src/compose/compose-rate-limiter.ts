import type { Config } from '../config.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createRateLimiter, type RateLimiter } from '../lib/rate-limiter.ts';
import { closeRedis, createRedis } from '../lib/redis.ts';
import { createWatchedPart } from '../services/watched-part.ts';
import type { Services } from './compose-services.ts';

const WINDOW_SECONDS = 60;
/** A request waits for Redis this long at the most. */
const COMMAND_TIMEOUT_MS = 100;

type RateLimitDeps = {
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'onLimiter'>;
  readonly services: Pick<Services, 'health'>;
  readonly now: () => Date;
};

type RateLimits = { readonly limiter: RateLimiter | null; close(): Promise<void> };

/** The limiter of the API over a connection of its own, so that nothing slow stands before it; none when limits are off. */
export function composeRateLimiter(
  { rateLimitPerMinute: points, instanceCount, redisQueueUrl }: Config,
  { log, metrics, services, now }: RateLimitDeps,
): RateLimits {
  if (points === 0) return { limiter: null, close: async () => undefined };
  const redis =
    redisQueueUrl === null
      ? null
      : createRedis({ url: redisQueueUrl, name: 'limits', log, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const shared = createWatchedPart({ name: 'limits', now });
  if (redis !== null) services.health.addParts(() => [shared.get()]);
  const onSpend: Metrics['onLimiter'] = (decision) => {
    shared.note(decision.mode === 'redis');
    metrics.onLimiter(decision);
  };
  return {
    limiter: createRateLimiter({ points, windowSeconds: WINDOW_SECONDS, redis, instanceCount, log, onSpend }),
    close: async () => {
      if (redis !== null) await closeRedis(redis);
    },
  };
}
