import packageJson from '../package.json' with { type: 'json' };
import { createHttpServer } from './api/http-server.ts';
import { createOpsServer } from './api/ops-server.ts';
import type { Service } from './compose.ts';
import { composeJobs } from './compose-jobs.ts';
import { composeOps } from './compose-ops.ts';
import { composeServices } from './compose-services.ts';
import { openStorage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { createHttpClient } from './lib/http-client.ts';
import { createLogger } from './lib/logger.ts';
import { createMetrics } from './lib/metrics.ts';
import { runShutdown } from './lib/shutdown.ts';
import { createTracer } from './lib/tracing.ts';
import { traceHttpClient } from './lib/tracing-http.ts';

const PROBES_DEADLINE_MS = 1_000;

/** Makes a process that serves no requests but those for its health: it does what is due. Throws StartupError with what stands in the way. */
export async function composeWorker(config: Config): Promise<Service> {
  const { version } = packageJson;
  const metrics = createMetrics({ version });
  const log = createLogger({ level: config.logLevel, secrets: config.secrets, onLineDropped: metrics.onLineDropped });
  const storage = await openStorage(config, { log, metrics });
  const tracer = await createTracer({ otlpEndpoint: config.otlpEndpoint, serviceName: 'chainfolio-worker', version, log });
  const http = traceHttpClient(createHttpClient(), tracer);
  const services = composeServices(config, { storage, http, log, metrics, version, now: () => new Date() });
  const jobs = await composeJobs(config, { storage, services, metrics, log });
  const { readiness, ...ops } = composeOps({ storage, health: services.health, metrics, log, isSampling: true });
  const app = createOpsServer({ readiness, metrics, isLoopback: config.isLoopback, log });
  const server = createHttpServer({ app, host: config.host, port: config.workerPort, deadlineMs: PROBES_DEADLINE_MS });
  return {
    async start() {
      const { url } = await server.listen();
      storage.feed.start();
      services.health.start();
      ops.start();
      jobs.start();
      log.info({ url }, 'serving');
      return { url };
    },
    stop() {
      log.info('stopping');
      readiness.drain();
      return runShutdown(
        [
          { name: 'jobs', run: () => jobs.stop(), timeoutMs: 15_000 },
          { name: 'refreshes', run: () => services.refreshes.stop(), timeoutMs: 5_000 },
          { name: 'prices', run: () => services.prices.stop(), timeoutMs: 2_000 },
          { name: 'probes', run: () => services.health.stop().finally(services.closeEndpoints), timeoutMs: 1_000 },
          { name: 'readiness', run: () => ops.stop(), timeoutMs: 1_000 },
          { name: 'http server', run: () => server.stop(), timeoutMs: PROBES_DEADLINE_MS + 1_000 },
          { name: 'http client', run: () => http.close(), timeoutMs: 1_000 },
          { name: 'traces', run: () => tracer.close(), timeoutMs: 2_000 },
          { name: 'database', run: () => storage.close(), timeoutMs: 35_000 },
        ],
        log,
      );
    },
    report(error) {
      readiness.giveUp();
      log.fatal({ err: error }, 'an error reached nobody: ending the process');
    },
  };
}
