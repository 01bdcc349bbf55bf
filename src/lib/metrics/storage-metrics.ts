import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

type PoolSize = { readonly total: number; readonly idle: number; readonly waiting: number };

export type StorageMetrics = {
  /** One statement, on the primary or on a replica. */
  readonly onQuery: (query: { readonly pool: 'primary' | 'replica'; readonly isGood: boolean; readonly seconds: number }) => void;
  readonly setPool: (pool: 'primary' | 'replica', size: PoolSize) => void;
  /** One command to a Redis. `isGood` false: an error or no answer in time. */
  readonly onRedis: (command: {
    readonly client: 'cache' | 'queue' | 'limits' | 'events';
    readonly isGood: boolean;
    readonly seconds: number;
  }) => void;
  /**
   * What was found for a read: at which level, how fresh, or nothing. `joined`: another's load in flight was waited for; `bypass`: none was wanted;
   * `fallback`: the last one, since the database did not serve.
   */
  readonly onCache: (result: 'memory_hit' | 'redis_hit' | 'stale' | 'miss' | 'joined' | 'bypass' | 'fallback') => void;
  /** One decision of the rate limiter, and where it was counted. */
  readonly onLimiter: (decision: { readonly mode: 'redis' | 'memory'; readonly isAllowed: boolean }) => void;
};

const BUCKETS_SECONDS = [0.0005, 0.002, 0.01, 0.05, 0.1, 0.5, 2, 10];

/** The database, Redis, the cache and the limiter. */
export function createStorageMetrics(registry: Registry): StorageMetrics {
  const registers = [registry];
  const queries = new Histogram({
    name: 'database_query_duration_seconds',
    help: 'Time of one statement, good or bad.',
    labelNames: ['pool', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const redis = new Histogram({
    name: 'redis_command_duration_seconds',
    help: 'Time of one command to Redis, good or bad.',
    labelNames: ['client', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const cache = new Counter({
    name: 'cache_requests_total',
    help: 'Reads of the cache by what was found; joined: waited for the load of another.',
    labelNames: ['result'],
    registers,
  });
  return {
    onQuery: ({ pool, isGood, seconds }) => queries.observe({ pool, outcome: toOutcome(isGood) }, seconds),
    setPool: createPoolGauges(registry),
    onRedis: ({ client, isGood, seconds }) => redis.observe({ client, outcome: toOutcome(isGood) }, seconds),
    onCache: (result) => cache.inc({ result }),
    onLimiter: createLimiterMetrics(registry),
  };
}

function toOutcome(isGood: boolean): string {
  return isGood ? 'ok' : 'error';
}

function createPoolGauges(registry: Registry): StorageMetrics['setPool'] {
  const options = { labelNames: ['pool'], registers: [registry] };
  const total = new Gauge({ name: 'database_pool_connections', help: 'Open connections.', ...options });
  const idle = new Gauge({ name: 'database_pool_idle_connections', help: 'Open connections that are not in use.', ...options });
  const waiting = new Gauge({ name: 'database_pool_waiting', help: 'Queries that wait for a connection.', ...options });
  return (pool, size) => {
    total.set({ pool }, size.total);
    idle.set({ pool }, size.idle);
    waiting.set({ pool }, size.waiting);
  };
}

function createLimiterMetrics(registry: Registry): StorageMetrics['onLimiter'] {
  const registers = [registry];
  const decisions = new Counter({
    name: 'rate_limiter_decisions_total',
    help: 'Requests that the rate limiter let pass or refused.',
    labelNames: ['decision', 'mode'],
    registers,
  });
  const inMemory = new Gauge({
    name: 'rate_limiter_memory_mode',
    help: '1 while limits are counted in this process, 0 while they are shared in Redis.',
    registers,
  });
  return ({ mode, isAllowed }) => {
    decisions.inc({ decision: isAllowed ? 'allowed' : 'refused', mode });
    inMemory.set(mode === 'memory' ? 1 : 0);
  };
}
