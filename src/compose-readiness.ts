import type { Storage } from './compose-storage.ts';
import type { Logger } from './lib/logger.ts';
import type { Metrics } from './lib/metrics.ts';
import type { HealthService } from './services/health-service.ts';
import { createReadinessService, type ReadinessService } from './services/readiness-service.ts';

type ReadinessDeps = {
  readonly storage: Storage;
  readonly health: HealthService;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** What orchestrators ask of a process, and its mirror in the metrics. */
export function composeReadiness({ storage, health, metrics, log }: ReadinessDeps): ReadinessService {
  const readiness = createReadinessService({
    ping: () => storage.ping(),
    isSchemaCurrent: () => storage.isSchemaCurrent(),
    otherParts: () => health.listPartsInUse(),
    isStarted: () => health.hasLookedAround(),
    log,
  });
  metrics.onScrape(() => {
    const { status, isDraining, parts } = readiness.getReadiness();
    const isDatabaseUp = parts.some((part) => part.name === 'database' && (part.status === 'ok' || part.status === 'degraded'));
    metrics.setReadiness({ isReady: status !== 'unready', isDatabaseUp, isDraining });
  });
  return readiness;
}
