import { randomUUID } from 'node:crypto';
import { UnrecoverableError } from 'bullmq';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { WalletBatch } from '../../src/domain/wallet-batch.ts';
import { createJobQueue, type JobQueue } from '../../src/jobs/job-queue.ts';
import { createJobWorker, type JobHandler, type JobWorker } from '../../src/jobs/job-worker.ts';
import { BATCH_JOB, parseBatchPayload } from '../../src/jobs/payloads.ts';
import { openQueueBackend, type QueueBackend, type QueueLocation } from '../../src/jobs/queue-backend.ts';

const SILENT = { warn: () => undefined };
/** Short enough for a test, long enough for a machine that is busy with others. */
const LOCK_MS = 1_500;

export function buildBatch(overrides: Partial<WalletBatch> = {}): WalletBatch {
  return { claimId: randomUUID(), tenantId: randomUUID(), chain: 'ethereum', walletIds: [randomUUID()], ...overrides };
}

/** What both stores of the queue must do alike. `locate` gives an empty store for each test. */
export function describeQueue(name: string, locate: () => Promise<QueueLocation>): void {
  describe(`the queue on ${name}`, () => {
    let location: QueueLocation;
    let backend: QueueBackend;
    let queue: JobQueue;
    const workers: JobWorker[] = [];
    const backends: QueueBackend[] = [];

    const open = (): QueueBackend => {
      const opened = openQueueBackend(location, SILENT);
      backends.push(opened);
      return opened;
    };
    const startWorker = (handlers: Readonly<Record<string, JobHandler>>, over = backend): JobWorker => {
      const worker = createJobWorker({
        backend: over,
        handlers: new Map(Object.entries(handlers)),
        concurrency: 5,
        lockMs: LOCK_MS,
        onJob: () => undefined,
        log: SILENT,
      });
      workers.push(worker);
      worker.start();
      return worker;
    };
    const deadLetters = () => queue.listDeadLetters(100);

    beforeEach(async () => {
      location = await locate();
      backend = open();
      await backend.getQueue();
      queue = createJobQueue(backend);
    });
    afterEach(async () => {
      vi.useRealTimers();
      await Promise.all(workers.splice(0).map((worker) => worker.stop()));
      await Promise.all(backends.splice(0).map((each) => each.close()));
    });

    it('gives each batch to one of all workers, whole', async () => {
      const batches = Array.from({ length: 40 }, () => buildBatch());
      const seen: unknown[] = [];
      const handler: JobHandler = async (data) => void seen.push(parseBatchPayload(data));
      startWorker({ [BATCH_JOB]: handler });
      startWorker({ [BATCH_JOB]: handler }, open());
      await queue.addBatches(batches);
      await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(40);
      expect(seen).toEqual(expect.arrayContaining(batches));
    });

    it('keeps a batch once that is added again while it waits', async () => {
      const [batch, last] = [buildBatch(), buildBatch()];
      await queue.addBatches([batch]);
      await queue.addBatches([batch]);
      await queue.addBatches([batch, last]);
      expect(await queue.getStats()).toMatchObject({ waiting: 2, active: 0, deadLetters: 0 });
      const seen: (string | undefined)[] = [];
      startWorker({ [BATCH_JOB]: async (data) => void seen.push(parseBatchPayload(data)?.claimId) });
      await expect.poll(() => seen, { timeout: 20_000 }).toContain(last.claimId);
      expect(seen.filter((id) => id === batch.claimId)).toHaveLength(1);
      await expect.poll(async () => (await queue.getStats()).waiting).toBe(0);
    });

    it('tells what waits, and for how long', async () => {
      expect(await queue.getStats()).toEqual({ waiting: 0, active: 0, delayed: 0, deadLetters: 0, oldestAgeSeconds: null });
      await queue.addBatches([buildBatch()]);
      const { waiting, oldestAgeSeconds } = await queue.getStats();
      expect(waiting).toBe(1);
      expect(oldestAgeSeconds).toBeLessThan(60);
    });

    it('runs a schedule again and again, however many keep it', async () => {
      const runs: number[] = [];
      startWorker({ tick: async () => void runs.push(performance.now()) });
      startWorker({ tick: async () => void runs.push(performance.now()) }, open());
      const others = [open(), open(), open()].map((each) => createJobQueue(each));
      const startedAt = performance.now();
      const elapsedSeconds = () => (performance.now() - startedAt) / 1000;
      await expect
        .poll(
          async () => {
            await Promise.all([queue, ...others].map((each) => each.keepSchedule({ name: 'tick', everySeconds: 1 })));
            return runs.length;
          },
          { timeout: 30_000, interval: 100 },
        )
        .toBeGreaterThanOrEqual(4);
      // One at the start, then one a second; those that meet at the start may make one more.
      expect(runs.length).toBeLessThanOrEqual(elapsedSeconds() + 2);
      expect((await queue.getStats()).delayed).toBeLessThanOrEqual(others.length + 1);
    });

    it('goes on with a schedule when the clock has gone back', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      await queue.keepSchedule({ name: 'tick', everySeconds: 1 });
      let runs = 0;
      const worker = startWorker({ tick: async () => void runs++ });
      await expect.poll(() => runs, { timeout: 20_000 }).toBeGreaterThan(0);
      await worker.stop();
      vi.useRealTimers();
      const before = runs;
      startWorker({ tick: async () => void runs++ });
      await queue.keepSchedule({ name: 'tick', everySeconds: 1 });
      await expect.poll(() => runs, { timeout: 20_000 }).toBeGreaterThan(before + 1);
    });

    it('makes dead letters of jobs that nobody knows or can read, and goes on', async () => {
      let done = 0;
      startWorker({
        [BATCH_JOB]: async (data) => {
          if (parseBatchPayload(data) === undefined) throw new UnrecoverableError('not a batch');
          done++;
        },
      });
      await (await backend.getQueue()).addBulk([
        { name: 'format-disk', data: {} },
        { name: '__proto__', data: {} },
        { name: BATCH_JOB, data: { v: 99 } },
        { name: BATCH_JOB, data: null },
      ]);
      await queue.addBatches([buildBatch()]);
      await expect.poll(() => done, { timeout: 20_000 }).toBe(1);
      await expect.poll(async () => (await deadLetters()).length).toBe(4);
      const letters = await deadLetters();
      expect(letters.map((letter) => [letter.name, letter.reason])).toEqual(
        expect.arrayContaining([
          ['format-disk', 'no job is called format-disk'],
          ['__proto__', 'no job is called __proto__'],
          [BATCH_JOB, 'not a batch'],
        ]),
      );
      expect(Math.abs(Date.now() - (letters[0]?.failedAt.getTime() ?? 0))).toBeLessThan(60_000);
      expect((await queue.getStats()).deadLetters).toBe(4);
    });

    it('makes no dead letter of a fault that passes, and one of a fault of ours', async () => {
      const faults = [new AppError('database_unavailable', 'gone'), new TypeError('x is not a function')];
      startWorker({
        [BATCH_JOB]: async () => {
          throw faults.shift();
        },
      });
      await queue.addBatches([buildBatch()]);
      await expect.poll(() => faults.length, { timeout: 20_000 }).toBe(1);
      await queue.addBatches([buildBatch()]);
      await expect
        .poll(async () => (await deadLetters()).map(({ reason }) => reason), { timeout: 20_000 })
        .toEqual(['x is not a function']);
    });

    it('gives a job whose worker died to another, and gives it up when that one dies too', async () => {
      let starts = 0;
      const die: JobHandler = async () => {
        starts++;
        await new Promise(() => undefined);
      };
      await queue.addBatches([buildBatch()]);
      for (const expected of [1, 2]) {
        const doomed = open();
        const worker = doomed.createWorker(async ({ data }) => die(data, new AbortController().signal), {
          concurrency: 1,
          lockDuration: LOCK_MS,
          stalledInterval: LOCK_MS,
        });
        worker.run().catch(() => undefined);
        await expect.poll(() => starts, { timeout: 20_000 }).toBe(expected);
        await worker.close();
      }
      startWorker({ [BATCH_JOB]: async () => void starts++ });
      await expect
        .poll(async () => (await deadLetters()).map(({ reason }) => reason), { timeout: 20_000 })
        .toEqual([expect.stringContaining('stalled')]);
      expect(starts).toBe(2);
    });

    it('puts a dead letter back, or takes it away', async () => {
      let isCured = false;
      let cured = 0;
      startWorker({
        [BATCH_JOB]: async () => {
          if (!isCured) throw new UnrecoverableError('ill');
          cured++;
        },
      });
      const [kept, removed] = [buildBatch(), buildBatch()];
      await queue.addBatches([kept, removed]);
      await expect.poll(async () => (await deadLetters()).length, { timeout: 20_000 }).toBe(2);
      isCured = true;
      await queue.retry(kept.claimId);
      await queue.removeDeadLetter(removed.claimId);
      await expect.poll(() => cured, { timeout: 20_000 }).toBe(1);
      expect(await deadLetters()).toEqual([]);
      await expect(queue.retry(removed.claimId)).rejects.toThrow(/no dead letter/);
      await expect(queue.removeDeadLetter('nonsense')).rejects.toThrow(/no dead letter/);
    });

    it('tells handlers to hand back when a worker stops, and waits for them', async () => {
      const steps: string[] = [];
      const worker = startWorker({
        [BATCH_JOB]: async (_, signal) => {
          steps.push('started');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          steps.push('handed back');
        },
      });
      await queue.addBatches([buildBatch()]);
      await expect.poll(() => steps.length, { timeout: 20_000 }).toBe(1);
      await worker.stop();
      expect(steps).toEqual(['started', 'handed back']);
      expect(await queue.getStats()).toMatchObject({ waiting: 0, active: 0, deadLetters: 0 });
    });
  });
}
