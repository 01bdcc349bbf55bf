import type { Logger } from '../lib/logger.ts';
import { createLoopWatch } from '../lib/loop-watch.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createRounds } from '../lib/rounds.ts';
import type { HealthService } from '../services/health-service.ts';
import { createReadinessService, type ReadinessService } from '../services/readiness-service.ts';
import type { Storage } from './compose-storage.ts';

type OpsDeps = {
  readonly storage: Storage;
  readonly health: HealthService;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whether this process asks the database how old the data is: one of all needs to. */
  readonly isSampling: boolean;
};

export type Ops = { readonly readiness: ReadinessService; start(): void; stop(): Promise<void> };

const SAMPLE_INTERVAL_MS = 60_000;

/** What orchestrators and Prometheus are told of a process. */
export function composeOps({ storage, health, metrics, log, isSampling }: OpsDeps): Ops {
  const readiness = createReadinessService({
    ping: () => storage.ping(),
    isSchemaCurrent: () => storage.isSchemaCurrent(),
    otherParts: () => health.listPartsInUse(),
    isStarted: () => health.hasLookedAround(),
    log,
  });
  const ages = createRounds({
    run: async () => metrics.setDataTimes(await storage.readDataTimes()),
    intervalMs: SAMPLE_INTERVAL_MS,
    onError: (error) => log.warn({ err: error }, 'the age of the data cannot be told'),
  });
  const loop = createLoopWatch((ms) => log.warn({ ms }, 'the event loop stood still: blocked, or the process was paused'));
  metrics.onScrape(() => {
    metrics.setPool('primary', storage.poolSize());
    if (storage.replica !== null) metrics.setPool('replica', storage.replica.poolSize());
    metrics.setReadiness(readiness.getReadiness());
  });
  return {
    readiness,
    start() {
      loop.start();
      readiness.start();
      if (isSampling) ages.start();
    },
    stop() {
      loop.stop();
      readiness.stop();
      return ages.stop();
    },
  };
}
