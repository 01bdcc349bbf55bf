import { setTimeout as sleep } from 'node:timers/promises';
import type { WalletBatch } from '../domain/wallet-batch.ts';
import { BATCH_JOB, TICK_PAYLOAD, toBatchPayload } from './payloads.ts';
import type { BullJob, BullQueue, QueueBackend } from './queue-backend.ts';

/** A kind of job that is due again and again. */
export type Schedule = { readonly name: string; readonly everySeconds: number };

export type QueueStats = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly deadLetters: number;
  /** Age of the job that waits the longest; null when none waits. */
  readonly oldestAgeSeconds: number | null;
};

/** A job that was given up. */
export type DeadLetter = {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
  readonly failedAt: Date;
  readonly data: unknown;
};

/** The queue as its users see it. Every call ends within seconds, with an error when the store does not answer. */
export type JobQueue = {
  /** Adds a job for each batch. After an error some or all may still be there, or come yet: their claims tell. */
  addBatches(batches: readonly WalletBatch[]): Promise<void>;
  /** Makes the schedule, or leaves it as it is; mends one that lies far ahead because a clock jumped. */
  keepSchedule(schedule: Schedule): Promise<void>;
  getStats(): Promise<QueueStats>;
  /** Newest first. */
  listDeadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** Puts a job that was given up back into the queue. */
  retry(id: string): Promise<void>;
  removeDeadLetter(id: string): Promise<void>;
};

const TIMEOUT_MS = 5_000;

export function createJobQueue({ getQueue }: Pick<QueueBackend, 'getQueue'>): JobQueue {
  const ask = <T>(question: (queue: BullQueue) => Promise<T>): Promise<T> => within(TIMEOUT_MS, getQueue().then(question));
  return {
    async addBatches(batches) {
      const jobs = batches.map((batch) => ({
        name: BATCH_JOB,
        data: toBatchPayload(batch),
        // Schedules go first: they are few and short.
        opts: { jobId: batch.claimId, priority: 1 },
      }));
      await ask((queue) => queue.addBulk(jobs));
    },
    keepSchedule: (schedule) => ask((queue) => keepSchedule(queue, schedule)),
    async getStats() {
      const [counts, [oldest]] = await ask((queue) => Promise.all([queue.getJobCounts(), queue.getPrioritized(0, 0)]));
      const { waiting = 0, prioritized = 0, active = 0, delayed = 0, failed: deadLetters = 0 } = counts;
      const oldestAgeSeconds = oldest === undefined ? null : Math.max(0, (Date.now() - oldest.timestamp) / 1000);
      return { waiting: waiting + prioritized, active, delayed, deadLetters, oldestAgeSeconds };
    },
    async listDeadLetters(limit) {
      return (await ask((queue) => queue.getFailed(0, limit - 1))).map(toDeadLetter);
    },
    retry: (id) => ask(async (queue) => (await requireJob(queue, id)).retry('failed')),
    removeDeadLetter: (id) => ask(async (queue) => (await requireJob(queue, id)).remove()),
  };
}

/**
 * A schedule that runs is left alone: upserts that meet each other leave jobs behind in Postgres. Where the clock went back, the next run lies as far ahead as
 * it jumped, and an upsert leaves it there; another interval makes the schedule start anew. Taking it away first would leave its waiting job behind.
 */
async function keepSchedule(queue: BullQueue, { name, everySeconds }: Schedule): Promise<void> {
  const every = everySeconds * 1000;
  const known = await queue.getJobScheduler(name);
  const aheadMs = known?.next === undefined ? undefined : known.next - Date.now();
  if (known?.every === every && aheadMs !== undefined && Math.abs(aheadMs) <= 2 * every) return;
  const template = { name, data: TICK_PAYLOAD };
  if (aheadMs !== undefined && aheadMs > 2 * every) await queue.upsertJobScheduler(name, { every: every + 1 }, template);
  await queue.upsertJobScheduler(name, { every }, template);
}

function toDeadLetter({ id = '', name, failedReason, finishedOn = 0, data }: BullJob): DeadLetter {
  return { id, name, reason: failedReason, failedAt: new Date(finishedOn), data };
}

async function requireJob(queue: BullQueue, id: string): Promise<BullJob> {
  const job = await queue.getJob(id);
  if (job === undefined || (await job.getState()) !== 'failed') throw new Error(`no dead letter has the id ${id}`);
  return job;
}

/** BullMQ waits for a connection for as long as it takes. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const stopWaiting = new AbortController();
  const tooLate = sleep(timeoutMs, undefined, { signal: stopWaiting.signal }).then(() => {
    throw new Error(`the queue did not answer in ${timeoutMs} ms`);
  });
  // Whichever is left over must not count as an error that nobody heard of.
  work.catch(() => undefined);
  tooLate.catch(() => undefined);
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    stopWaiting.abort();
  }
}
