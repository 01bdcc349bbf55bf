import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createJobQueue } from '../../src/jobs/job-queue.ts';
import { createJobWorker } from '../../src/jobs/job-worker.ts';
import { openQueueBackend } from '../../src/jobs/queue-backend.ts';
import { buildBatch, describeQueue } from '../contract/queue.contract.ts';
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

describe('a Redis that is frozen', () => {
  it('makes an add fail within seconds, and what arrives late is there once', async () => {
    const backend = openQueueBackend({ kind: 'redis', url: redis.url }, { warn: () => undefined });
    onTestFinished(() => backend.close());
    const queue = createJobQueue(backend);
    await redis.admin.flushall();
    const batch = buildBatch();
    await queue.getStats();
    redis.freeze();
    const startedAt = performance.now();
    await expect(queue.addBatches([batch])).rejects.toThrow();
    await expect(queue.keepSchedule({ name: 'tick', everySeconds: 1 })).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    redis.thaw();
    await expect.poll(() => queue.addBatches([batch]).then(() => 'added'), { timeout: 20_000 }).toBe('added');
    expect((await queue.getStats()).waiting).toBe(1);
  });

  it('or that is not there at first, is used once it is', async () => {
    await redis.kill();
    const backend = openQueueBackend({ kind: 'redis', url: redis.url }, { warn: () => undefined });
    onTestFinished(() => backend.close());
    const queue = createJobQueue(backend);
    const worker = createJobWorker({
      backend,
      handlers: new Map([['tick', async () => void ticks++]]),
      concurrency: 1,
      onJob: () => undefined,
      log: { warn: () => undefined },
    });
    let ticks = 0;
    worker.start();
    await expect(queue.keepSchedule({ name: 'tick', everySeconds: 1 })).rejects.toThrow();
    await redis.restart();
    await expect
      .poll(
        () =>
          queue.keepSchedule({ name: 'tick', everySeconds: 1 }).then(
            () => 'kept',
            () => 'not',
          ),
        { timeout: 20_000 },
      )
      .toBe('kept');
    await expect.poll(() => ticks, { timeout: 20_000 }).toBeGreaterThan(1);
    await worker.stop();
  });
});
