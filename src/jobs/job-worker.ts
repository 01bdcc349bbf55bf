import { setTimeout as sleep } from 'node:timers/promises';
import { type Processor, UnrecoverableError } from 'bullmq';
import { AppError } from '../domain/errors.ts';
import type { QueueBackend } from './queue-backend.ts';

/** Does one kind of job. Throws UnrecoverableError for data that is not of its kind. */
export type JobHandler = (data: unknown, signal: AbortSignal) => Promise<void>;

export type JobWorker = {
  start(): void;
  /**
   * Takes no more jobs, tells those in hand to hand back, waits for them, then closes whatever is left. Ends within ten seconds even when the queue's
   * store is frozen: what it did not hear of is given to another worker, to whom it is old news.
   */
  stop(): Promise<void>;
};

type JobWorkerOptions = {
  readonly backend: QueueBackend;
  /** By name of job. */
  readonly handlers: ReadonlyMap<string, JobHandler>;
  readonly concurrency: number;
  /** 30 seconds unless told. */
  readonly lockMs?: number;
  readonly onJob: OnJob;
  readonly log: Log;
};

/** Hears of each run of a job; a failed one is none that was given up, unless it could not be meant to succeed. */
export type OnJob = (run: { readonly job: string; readonly isGood: boolean; readonly seconds: number }) => void;

type Log = { warn(details: object, message: string): void };

const LOCK_MS = 30_000;
const HANDLERS_TIMEOUT_MS = 6_000;
const REPORTS_TIMEOUT_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_500;
const LOOK_INTERVAL_MS = 20;
const UNKNOWN_JOB = 'unknown';

/** Runs handlers for the jobs of a queue. Jobs that can never succeed, or that ended their worker twice, become dead letters. */
export function createJobWorker({ backend, handlers, concurrency, lockMs = LOCK_MS, onJob, log }: JobWorkerOptions): JobWorker {
  const stopping = new AbortController();
  /** Handlers at work, and jobs whose end the store does not know yet. */
  const running = new Set<Promise<void>>();
  const unreported = new Set<string>();

  const process: Processor<unknown, void> = async ({ id = '', name, data }) => {
    const startedAt = performance.now();
    const report = (isGood: boolean): void =>
      onJob({ job: handlers.has(name) ? name : UNKNOWN_JOB, isGood, seconds: (performance.now() - startedAt) / 1000 });
    unreported.add(id);
    const work = runHandler(handlers.get(name), { name, data, signal: stopping.signal });
    running.add(work);
    try {
      await work;
      report(true);
    } catch (error) {
      report(false);
      log.warn({ err: error, job: name, id }, 'job failed');
      if (!isPassing(error)) throw error;
    } finally {
      running.delete(work);
    }
  };

  const worker = backend.createWorker(process, { concurrency, lockDuration: lockMs, stalledInterval: lockMs });
  worker.onEnded((id) => unreported.delete(id ?? ''));
  return {
    start() {
      worker.run().catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ err: error }, 'worker ended');
      });
    },
    async stop() {
      stopping.abort(new AppError('shutting_down', 'The service is stopping.'));
      await Promise.race([worker.pause(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      await untilEmpty(running, HANDLERS_TIMEOUT_MS);
      await untilEmpty(unreported, REPORTS_TIMEOUT_MS);
      await Promise.race([worker.close(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

type Run = { readonly name: string; readonly data: unknown; readonly signal: AbortSignal };

async function runHandler(handler: JobHandler | undefined, { name, data, signal }: Run): Promise<void> {
  if (handler === undefined) throw new UnrecoverableError(`no job is called ${name.slice(0, 100)}`);
  await handler(data, signal);
}

/** A fault of a dependency: the schedule does the work again, so that there is nothing for an operator to replay. */
function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.code !== 'internal';
}

/** Waits until nothing is in the set any more, or the time is up. */
async function untilEmpty(set: ReadonlySet<unknown>, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (set.size > 0 && performance.now() < giveUpAt) await sleep(LOOK_INTERVAL_MS);
}
