import {
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type Job,
  type JobProgress,
  type Processor,
  type Queue,
  type Worker,
  withBackend,
} from 'bullmq';
import { closeRedis, createRedis } from '../lib/redis.ts';

/** Where jobs are kept: a Redis that evicts nothing, or the database. */
export type QueueLocation =
  | { readonly kind: 'redis'; readonly url: string }
  /** `migrate`: whether the queue's tables may be made or brought up to date. */
  | { readonly kind: 'postgres'; readonly url: string; readonly migrate: boolean };

export type BullJob = Pick<
  Job<unknown, void>,
  'id' | 'name' | 'data' | 'failedReason' | 'finishedOn' | 'timestamp' | 'retry' | 'remove' | 'getState'
>;
type QueueMethods =
  | 'addBulk'
  | 'upsertJobScheduler'
  | 'getJobScheduler'
  | 'getJobCounts'
  | 'getPrioritized'
  | 'getFailed'
  | 'getJob';
/** What we use of BullMQ's queue, whichever backend it has. */
export type BullQueue = Pick<Queue<unknown, void>, QueueMethods>;
export type BullWorker = {
  /** Works until it is paused or closed. */
  run(): Promise<void>;
  /** Takes no further job. */
  pause(): Promise<void>;
  /** Ends it at once, whatever is in hand. */
  close(): Promise<void>;
  /** A job that this worker had has left it, and the store knows. */
  onEnded(listener: (jobId: string | undefined) => void): void;
};

/** BullMQ over one of its backends. */
export type QueueBackend = {
  /** Resolves once the store has been reached. Throws when it has no tables for the queue and may not get them. */
  getQueue(): Promise<BullQueue>;
  /** Makes a worker that does not run yet. */
  createWorker(process: Processor<unknown, void>, settings: WorkerSettings): BullWorker;
  /** Closes the queue. Workers are to be closed first. */
  close(): Promise<void>;
};

export type WorkerSettings = {
  readonly concurrency: number;
  /** A job whose worker has not been heard of for so long is given to another. */
  readonly lockDuration: number;
  readonly stalledInterval: number;
};

type Log = { warn(details: object, message: string): void };

const QUEUE_NAME = 'jobs';
/** The braces keep all keys on one node of a cluster. */
const REDIS_PREFIX = '{chainfolio}';
const POSTGRES_SCHEMA = 'bullmq';
const REDIS_TIMEOUT_MS = 500;
const POSTGRES_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** Statements are short and there are a few jobs a second. */
const POSTGRES_CONNECTIONS = { queue: 2, worker: 3 };
/** What is given up stays for a month, and never fills the store. */
const KEEP_DEAD_LETTERS = { count: 1_000, age: 30 * 24 * 3_600 };
const QUIET_MS = 30_000;

const redisClasses = withBackend(createRedisBackend);
const postgresClasses = withBackend(createPostgresBackend);

/** Connects in the background. */
export function openQueueBackend(location: QueueLocation, log: Log): QueueBackend {
  return location.kind === 'redis' ? openRedis(location.url, log) : openPostgres(location, log);
}

/** Who adds jobs gets an error when Redis does not answer; who waits for jobs waits until it does. */
function openRedis(url: string, log: Log): QueueBackend {
  const warn = warnSometimes(log);
  const producer = createRedis({ url, name: 'chainfolio-queue', log, commandTimeoutMs: REDIS_TIMEOUT_MS });
  const queue = keepOpen(() => {
    const opened = new redisClasses.Queue<unknown, void>(QUEUE_NAME, { connection: producer, prefix: REDIS_PREFIX });
    opened.on('error', warn);
    return opened;
  });
  return {
    getQueue: queue.get,
    createWorker(process, settings) {
      const connection = createRedis({ url, name: 'chainfolio-worker', log, commandTimeoutMs: null });
      const all = { ...WORKER_OPTIONS, ...settings, connection, prefix: REDIS_PREFIX };
      const worker = new redisClasses.Worker<unknown, void>(QUEUE_NAME, process, all);
      return bindWorker(worker, { warn, disconnect: () => closeRedis(connection) });
    },
    async close() {
      await queue.close();
      await closeRedis(producer);
    },
  };
}

function openPostgres({ url, migrate }: { readonly url: string; readonly migrate: boolean }, log: Log): QueueBackend {
  const warn = warnSometimes(log);
  const connectionOf = (max: number) => ({
    connectionString: url,
    schema: POSTGRES_SCHEMA,
    migrate,
    max,
    keepAlive: true,
    application_name: 'chainfolio-queue',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: POSTGRES_TIMEOUT_MS,
    query_timeout: POSTGRES_TIMEOUT_MS + 1_000,
  });
  const queue = keepOpen(() => {
    const connection = connectionOf(POSTGRES_CONNECTIONS.queue);
    const opened = new postgresClasses.Queue<unknown, void>(QUEUE_NAME, { connection });
    opened.on('error', warn);
    return opened;
  });
  return {
    getQueue: queue.get,
    createWorker(process, settings) {
      const all = { ...WORKER_OPTIONS, ...settings, connection: connectionOf(POSTGRES_CONNECTIONS.worker) };
      const worker = new postgresClasses.Worker<unknown, void>(QUEUE_NAME, process, all);
      return bindWorker(worker, { warn, disconnect: async () => undefined });
    },
    close: () => queue.close(),
  };
}

const WORKER_OPTIONS = {
  autorun: false,
  /** Nobody looks at jobs that went well: what they did is in the database. */
  removeOnComplete: { count: 0 },
  removeOnFail: KEEP_DEAD_LETTERS,
};

type Warn = (error: Error) => void;

function bindWorker<B extends IQueueBackend, C>(
  worker: Worker<unknown, void, string, B, JobProgress, C>,
  { warn, disconnect }: { readonly warn: Warn; readonly disconnect: () => Promise<void> },
): BullWorker {
  worker.on('error', warn);
  return {
    run: () => worker.run(),
    pause: () => worker.pause(true),
    async close() {
      await worker.close(true);
      await disconnect();
    },
    onEnded(listener) {
      worker.on('completed', (job) => listener(job.id));
      worker.on('failed', (job) => listener(job?.id));
    },
  };
}

type Openable = { waitUntilReady(): Promise<unknown>; close(): Promise<void> };

/** BullMQ remembers for ever that it could not connect at first: then another takes its place. */
function keepOpen<T extends Openable>(open: () => T): { get(): Promise<T>; close(): Promise<void> } {
  let current: { readonly queue: T; readonly ready: Promise<unknown> } | undefined;
  return {
    async get() {
      if (current === undefined) {
        const queue = open();
        current = { queue, ready: queue.waitUntilReady() };
      }
      const { queue, ready } = current;
      try {
        await ready;
        return queue;
      } catch (error) {
        if (current?.queue === queue) current = undefined;
        queue.close().catch(() => undefined);
        throw error;
      }
    },
    async close() {
      await current?.queue.close();
    },
  };
}

/** A store that is gone is told of by everything that waits for it; once in a while is enough. */
function warnSometimes(log: Log): Warn {
  let quietUntil = 0;
  return (error) => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + QUIET_MS;
    log.warn({ err: error }, 'trouble with the queue');
  };
}
