import packageJson from '../package.json' with { type: 'json' };
import { createHttpServer } from './api/http-server.ts';
import { createServer } from './api/server.ts';
import { composeAnswers } from './compose-answers.ts';
import { composeOps } from './compose-ops.ts';
import { composeRateLimiter } from './compose-rate-limiter.ts';
import { composeServices } from './compose-services.ts';
import { openStorage } from './compose-storage.ts';
import type { Config } from './config.ts';
import { chains } from './domain/chains.ts';
import { DEFAULT_TENANT_ID } from './domain/tenant.ts';
import { createHttpClient } from './lib/http-client.ts';
import { createLogger } from './lib/logger.ts';
import { createMetrics } from './lib/metrics.ts';
import { runShutdown } from './lib/shutdown.ts';
import { createTracer } from './lib/tracing.ts';
import { traceHttpClient } from './lib/tracing-http.ts';

/** A service that is ready to serve. */
export type Service = {
  /** Starts to listen; the address it serves at. Throws StartupError when the address cannot be had. */
  start(): Promise<{ readonly url: string }>;
  /** Ends what is in flight, in order, each part within its own time. False when a part had to be left behind. */
  stop(): Promise<boolean>;
  /** Tells of an error that reached nobody, and that the process is given up for it. */
  report(error: unknown): void;
};

/** Requests in flight may go on for this long after a signal. */
const DRAIN_DEADLINE_MS = 10_000;

const now = (): Date => new Date();

/** Makes the whole service. Throws StartupError with what stands in the way. */
export async function compose(config: Config): Promise<Service> {
  const { version } = packageJson;
  const metrics = createMetrics({ version });
  const log = createLogger({ level: config.logLevel, secrets: config.secrets, onLineDropped: metrics.onLineDropped });
  const storage = await openStorage(config, { log, metrics });
  const tracer = await createTracer({ otlpEndpoint: config.otlpEndpoint, serviceName: 'chainfolio', version, log });
  const http = traceHttpClient(createHttpClient(), tracer);
  const stopping = new AbortController();
  const limits = composeRateLimiter(config, { log, metrics });
  const services = composeServices(config, { storage, http, log, metrics, version, now });
  const kept = composeAnswers(config, { feed: storage.feed, log, metrics, version });
  const ops = composeOps({ storage, health: services.health, metrics, log, isSampling: config.hasWorker });
  const app = createServer({
    services: { ...services, answers: kept.answers },
    readiness: ops.readiness,
    metrics,
    chains,
    endpointNames: services.endpointNames,
    isLoopback: config.isLoopback,
    rateLimiter: limits.limiter,
    trustedProxies: config.trustedProxies,
    resolveTenant: async () => DEFAULT_TENANT_ID,
    log,
    tracer,
    version,
    now,
    stopSignal: stopping.signal,
  });
  const drainDelayMs = config.drainDelaySeconds * 1000;
  const server = createHttpServer({ app, host: config.host, port: config.port, drainDelayMs, deadlineMs: DRAIN_DEADLINE_MS });
  return {
    async start() {
      const { url } = await server.listen().catch(async (error: unknown) => {
        await storage.close();
        throw error;
      });
      storage.feed.start();
      services.health.start();
      ops.start();
      log.info({ url }, 'serving');
      return { url };
    },
    stop() {
      log.info('stopping');
      ops.readiness.drain();
      stopping.abort();
      return runShutdown(
        [
          { name: 'http server', run: () => server.stop(), timeoutMs: drainDelayMs + DRAIN_DEADLINE_MS + 2_000 },
          { name: 'refreshes', run: () => services.refreshes.stop(), timeoutMs: 5_000 },
          { name: 'prices', run: () => services.prices.stop(), timeoutMs: 2_000 },
          { name: 'probes', run: () => services.health.stop(), timeoutMs: 1_000 },
          { name: 'readiness', run: () => ops.stop(), timeoutMs: 1_000 },
          { name: 'rate limits', run: () => limits.close(), timeoutMs: 1_500 },
          { name: 'cache', run: () => kept.close(), timeoutMs: 1_500 },
          { name: 'http client', run: () => http.close(), timeoutMs: 1_000 },
          { name: 'traces', run: () => tracer.close(), timeoutMs: 2_000 },
          { name: 'database', run: () => storage.close(), timeoutMs: 35_000 },
        ],
        log,
      );
    },
    report(error) {
      ops.readiness.giveUp();
      log.fatal({ err: error }, 'an error reached nobody: ending the process');
    },
  };
}
