import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobQueue } from '../../src/jobs/job-queue.ts';
import { createJobWorker, type JobHandler } from '../../src/jobs/job-worker.ts';
import { BATCH_JOB, parseBatchPayload } from '../../src/jobs/payloads.ts';
import { openQueueBackend } from '../../src/jobs/queue-backend.ts';
import { type RedisCluster, startRedisCluster, waitForTakeover } from './redis-cluster.ts';

const log = { info: () => undefined, warn: () => undefined };
const PATIENCE = { timeout: 60_000, interval: 100 };
const TENANT = '00000000-0000-0000-0000-000000000001';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
});

afterAll(() => cluster.close());

it('the queue works on a cluster, and goes on when its master dies', { timeout: 120_000 }, async () => {
  const done = new Set<string>();
  let ticks = 0;
  const handlers = new Map<string, JobHandler>([
    [BATCH_JOB, async (data) => void done.add(parseBatchPayload(data)?.claimId ?? '')],
    ['tick', async () => void ticks++],
  ]);
  const backend = openQueueBackend({ kind: 'redis', url: cluster.url }, log);
  const queue = createJobQueue(backend);
  const worker = createJobWorker({ backend, handlers, concurrency: 2, onJob: () => undefined, log });
  const keep = () => queue.keepSchedule({ name: 'tick', everySeconds: 1 });
  const add = async (claimId: string): Promise<void> => {
    const walletIds = ['00000000-0000-0000-0000-000000000002'];
    await queue.addBatches([{ claimId, tenantId: TENANT, chain: 'ethereum', walletIds }]);
  };
  await backend.getQueue();
  worker.start();
  await expect.poll(() => keep().then(() => 'kept'), PATIENCE).toBe('kept');
  const [before, after] = ['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b'];
  await add(before);
  await expect.poll(() => [...done], PATIENCE).toEqual([before]);
  await expect.poll(() => ticks, PATIENCE).toBeGreaterThan(1);
  // Everything lies on one node: BullMQ's scripts cannot span several.
  const place = await cluster.masterOf('{chainfolio}:jobs:meta');
  const sizes = await Promise.all(cluster.masters.map(async ({ admin }) => (await admin.keys('*')).length));
  expect(sizes.map((size) => size > 0)).toEqual([0, 1, 2].map((index) => index === place));

  await cluster.masters[place]?.kill();
  await waitForTakeover(cluster.replicas[place]);
  await expect.poll(() => add(after).then(() => 'added'), PATIENCE).toBe('added');
  await expect.poll(() => done.has(after), PATIENCE).toBe(true);
  const seen = ticks;
  await expect.poll(() => keep().then(() => ticks), PATIENCE).toBeGreaterThan(seen);
  await worker.stop();
  await backend.close();
});
