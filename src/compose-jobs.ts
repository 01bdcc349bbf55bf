import type { Services } from './compose-services.ts';
import type { Storage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { chains } from './domain/chains.ts';
import { createJobs, type Jobs } from './jobs/jobs.ts';
import { openQueueBackend, type QueueLocation } from './jobs/queue-backend.ts';
import type { Logger } from './lib/logger.ts';
import type { Metrics } from './lib/metrics.ts';
import { createSampler } from './lib/sampler.ts';
import { StartupError } from './lib/startup-error.ts';
import { MAX_OPEN_BATCHES } from './services/schedule-service.ts';

export type JobsDeps = {
  readonly storage: Pick<Storage, 'url' | 'isEmbedded'>;
  readonly services: Pick<Services, 'schedules' | 'refreshes'>;
  readonly metrics: Pick<Metrics, 'onJob' | 'setQueue'>;
  readonly log: Logger;
};

export type ComposedJobs = Omit<Jobs, 'queue'>;

const SAMPLE_INTERVAL_MS = 15_000;

/** Makes what a worker does. Throws StartupError when the database has no tables for the queue. */
export async function composeJobs(config: Config, { storage, services, metrics, log }: JobsDeps): Promise<ComposedJobs> {
  const location = locateQueue(config, storage);
  const backend = openQueueBackend(location, log);
  // Redis may come later; tables do not come by themselves.
  if (location.kind === 'postgres') await backend.getQueue().catch(refuse);
  const { schedules, refreshes } = services;
  const batchesAtOnce = chains.length * MAX_OPEN_BATCHES;
  const jobs = createJobs({ backend, schedules, refreshes, batchesAtOnce, onJob: metrics.onJob, log });
  const sampler = createSampler({
    sample: async () => metrics.setQueue('jobs', await jobs.queue.getStats()),
    intervalMs: SAMPLE_INTERVAL_MS,
    onError: (error) => log.warn({ err: error }, 'the queue cannot be looked at'),
  });
  return {
    start() {
      jobs.start();
      sampler.start();
    },
    async stop() {
      await Promise.all([sampler.stop(), jobs.stop()]);
    },
  };
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
