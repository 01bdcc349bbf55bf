import { createRedisEventRelay } from '../adapters/events/redis-event-relay.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createEventHub } from '../services/events/event-hub.ts';
import { createEventUpkeep, type EventUpkeep } from '../services/events/event-upkeep.ts';
import { createLiveService, type LiveService } from '../services/events/live-service.ts';
import type { Services } from './compose-services.ts';
import type { Storage } from './compose-storage.ts';

type EventsDeps = {
  readonly storage: Pick<Storage, 'feed' | 'events'>;
  readonly services: Pick<Services, 'portfolio'>;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'onStream' | 'onMessage' | 'onRedis'>;
};

/** What is open in one process at once. One costs some 20 KB. */
const LIMITS = { perTenant: 2_000, inAll: 5_000 };

/** Makes what tells of what happens as it happens: over Redis where there is one, else over the database alone. */
export function composeEvents(
  { redisCacheUrl: url }: Config,
  { storage, services, log, metrics }: EventsDeps,
): { readonly live: LiveService; close(): Promise<void> } {
  const { feed, events: store } = storage;
  const relay = url === null ? null : createRedisEventRelay({ url, log, onCommand: metrics.onRedis });
  const hub = createEventHub({ store, feed, relay, log });
  const live = createLiveService({ hub, portfolio: services.portfolio, feed, log, limits: LIMITS, ...metrics });
  return {
    live,
    async close() {
      live.close();
      await relay?.close();
    },
  };
}

/** Makes what events need beside those who cause them. */
export function composeEventUpkeep(
  { refreshIntervalSeconds: baseSeconds }: Config,
  { sourceWatch: sources, events }: Pick<Storage, 'sourceWatch' | 'events'>,
): EventUpkeep {
  return createEventUpkeep({ sources, events, baseSeconds });
}
