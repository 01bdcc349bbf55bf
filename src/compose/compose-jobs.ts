import type { Config } from '../config.ts';
import type { Schedule } from '../jobs/job-queue.ts';
import type { FollowJob, OnJob } from '../jobs/job-worker.ts';
import { createJobs, type Jobs, planSchedules } from '../jobs/jobs.ts';
import { openQueueBackend, type QueueLocation } from '../jobs/queue-backend.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createRounds } from '../lib/rounds.ts';
import { StartupError } from '../lib/startup-error.ts';
import type { Tracer } from '../lib/tracing.ts';
import { createWatchedPart } from '../services/watched-part.ts';
import { composeEventUpkeep } from './compose-events.ts';
import type { Services } from './compose-services.ts';
import type { Storage } from './compose-storage.ts';

export type JobsDeps = {
  readonly storage: Pick<Storage, 'url' | 'isEmbedded' | 'events' | 'sourceWatch' | 'feed'>;
  readonly services: Pick<
    Services,
    | 'schedules'
    | 'refreshes'
    | 'healing'
    | 'backfills'
    | 'transfers'
    | 'snapshots'
    | 'idempotency'
    | 'deliveries'
    | 'alertEvaluation'
    | 'health'
  >;
  readonly metrics: Pick<Metrics, 'onJob' | 'setQueue' | 'setBacklogs' | 'setTransferLags'>;
  readonly tracer: Pick<Tracer, 'follow'>;
  readonly log: Logger;
  readonly now: () => Date;
};

export type ComposedJobs = Omit<Jobs, 'queue'>;

/** A batch of 100 wallets and 300 tokens takes 20 MB while it is stored, and a worker is to live in 512 MB. */
const BATCHES_AT_ONCE = 6;
const SAMPLE_INTERVAL_MS = 15_000;
/** A schedule that misses three runs in a row counts as down, though none before this. */
const MISSED_RUNS = 3;
const LEAST_SILENCE_MS = 180_000;

/** Makes what a worker does. Throws StartupError when the database has no tables for the queue. */
export async function composeJobs(config: Config, deps: JobsDeps): Promise<ComposedJobs> {
  const { storage, services, metrics, tracer, log } = deps;
  const location = locateQueue(config, storage);
  const backend = openQueueBackend(location, log);
  // Redis may come later; tables do not come by themselves.
  if (location.kind === 'postgres') await backend.getQueue().catch(refuse);
  const { schedules, transfers, deliveries } = services;
  const plan = planSchedules({ transferSeconds: config.transferIntervalSeconds });
  const watch = watchJobs(plan, deps);
  const hooks = { onJob: watch.onJob, follow: followJobs(tracer), log };
  const jobs = createJobs({
    ...services,
    backend,
    events: composeEventUpkeep(config, storage),
    plan,
    batchesAtOnce: BATCHES_AT_ONCE,
    ...hooks,
  });
  // At once, rather than when the schedule next comes round.
  storage.feed.onEvents(() => {
    deliveries.deliver().catch((error: unknown) => log.warn({ err: error }, 'webhooks could not be told of what is new'));
  });
  const looks = createRounds({
    async run() {
      metrics.setQueue('jobs', await jobs.queue.getStats());
      watch.onQueue(true);
      for (const schedule of plan) if (await jobs.queue.isOnTime(schedule)) watch.onElsewhere(schedule);
    },
    intervalMs: SAMPLE_INTERVAL_MS,
    onError(error) {
      watch.onQueue(false);
      log.warn({ err: error }, 'the queue cannot be looked at');
    },
  });
  const backlogs = createRounds({
    async run() {
      metrics.setBacklogs(await schedules.getBacklogs());
      metrics.setTransferLags(await transfers.getLags());
    },
    intervalMs: SAMPLE_INTERVAL_MS,
    onError: (error) => log.warn({ err: error }, 'how far schedules are behind cannot be told'),
  });
  return {
    start() {
      jobs.start();
      looks.start();
      backlogs.start();
    },
    async stop() {
      await Promise.all([backlogs.stop(), looks.stop(), jobs.stop()]);
    },
  };
}

type JobWatch = {
  readonly onJob: OnJob;
  readonly onQueue: (isGood: boolean) => void;
  /** The schedule runs, if not in this process. */
  readonly onElsewhere: (schedule: Schedule) => void;
};

/** Tells the metrics, and those who ask for the health of the service, how the queue and each schedule do. */
function watchJobs(plan: readonly Schedule[], { services, metrics, now }: JobsDeps): JobWatch {
  const queue = createWatchedPart({ name: 'queue', now });
  const parts = new Map(
    plan.map(({ name, everySeconds }) => {
      const maxSilenceMs = Math.max(LEAST_SILENCE_MS, MISSED_RUNS * everySeconds * 1000);
      return [name, createWatchedPart({ name: `schedule:${name}`, now, maxSilenceMs })];
    }),
  );
  services.health.addParts(() => [queue, ...parts.values()].map((part) => part.get()));
  return {
    onJob(run) {
      parts.get(run.job)?.note(run.isGood);
      metrics.onJob(run);
    },
    onQueue: queue.note,
    onElsewhere({ name, everySeconds }) {
      const part = parts.get(name);
      const silentMs = now().getTime() - (part?.get().checkedAt?.getTime() ?? 0);
      // What runs here, or runs here and fails, is known better.
      if (silentMs > 2 * everySeconds * 1000) part?.note(true);
    },
  };
}

/** Each run of a job is a trace, or a part of the one it belongs to. */
function followJobs(tracer: JobsDeps['tracer']): FollowJob {
  return (job, work) => tracer.follow({ name: `job ${job}`, kind: 'job' }, work, (isGood) => (isGood ? {} : { error: 'failed' }));
}

/** Where this configuration keeps its jobs. */
export function locateQueue({ redisQueueUrl }: Config, { url, isEmbedded }: Pick<Storage, 'url' | 'isEmbedded'>): QueueLocation {
  return redisQueueUrl === null ? { kind: 'postgres', url, migrate: isEmbedded } : { kind: 'redis', url: redisQueueUrl };
}

function refuse(error: unknown): never {
  if (error instanceof Error && error.name === 'SchemaMigrationRequiredError') {
    throw new StartupError('DATABASE_URL: the database is not up to date; run `npm run migrate` first');
  }
  throw error;
}
