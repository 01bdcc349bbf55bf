import { afterAll, beforeAll } from 'vitest';
import { describeQueue } from '../contract/queue.contract.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());

describeQueue('Redis', async () => {
  await redis.admin.flushall();
  return { kind: 'redis', url: redis.url };
});
