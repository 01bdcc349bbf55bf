import packageJson from '../../package.json' with { type: 'json' };
import type { HttpServer } from '../api/http-server.ts';
import type { Config } from '../config.ts';
import { createHttpClient } from '../lib/http-client.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import { createMetrics, type Metrics } from '../lib/metrics.ts';
import type { ShutdownStep } from '../lib/shutdown.ts';
import { createTracer, type Tracer } from '../lib/tracing.ts';
import { traceHttpClient } from '../lib/tracing-http.ts';
import { composeOps, type Ops } from './compose-ops.ts';
import { composeOutbound, type Outbound } from './compose-outbound.ts';
import { composeServices, type Services } from './compose-services.ts';
import { openStorage, type Storage } from './compose-storage.ts';

/** What every process of ours has, whatever it serves. */
export type Base = {
  readonly version: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly storage: Storage;
  readonly services: Services;
  /** The way to what users tell the service to call. */
  readonly outbound: Outbound;
  readonly ops: Ops;
  readonly now: () => Date;
  /** Accepts connections and begins all that goes on in the background. The address; throws StartupError when it cannot be had. */
  serve(parts: { readonly server: HttpServer; readonly jobs: { start(): void } }): Promise<{ readonly url: string }>;
  /** How it is stopped once nothing new comes in: first who works, then what they work with. */
  readonly lastSteps: readonly ShutdownStep[];
  /** Tells of an error that reached nobody, and that the process is given up for it. */
  report(error: unknown): void;
};

type BaseOptions = {
  /** What the process is called in traces. */
  readonly serviceName: string;
  /** See `composeOps`. */
  readonly isSampling: boolean;
};

/** Throws StartupError with what stands in the way. */
export async function composeBase(config: Config, { serviceName, isSampling }: BaseOptions): Promise<Base> {
  const { version } = packageJson;
  const metrics = createMetrics({ version });
  const log = createLogger({ level: config.logLevel, secrets: config.secrets, onLineDropped: metrics.onLineDropped });
  const storage = await openStorage(config, { log, metrics });
  const tracer = await createTracer({ otlpEndpoint: config.otlpEndpoint, serviceName, version, log });
  const http = traceHttpClient(createHttpClient(), tracer);
  const outbound = composeOutbound(config, { tracer });
  const now = (): Date => new Date();
  const services = composeServices(config, { storage, http, outbound, log, metrics, version, now });
  const ops = composeOps({ storage, health: services.health, metrics, log, isSampling });
  return {
    version,
    log,
    metrics,
    tracer,
    storage,
    services,
    outbound,
    ops,
    now,
    async serve({ server, jobs }) {
      const { url } = await server.listen().catch(async (error: unknown) => {
        await storage.close();
        throw error;
      });
      storage.feed.start();
      services.health.start();
      services.rpcEndpoints.start();
      ops.start();
      jobs.start();
      log.info({ url }, 'serving');
      return { url };
    },
    lastSteps: [
      { name: 'refreshes', run: () => services.refreshes.stop(), timeoutMs: 5_000 },
      { name: 'backfills', run: () => services.backfills.stop(), timeoutMs: 5_000 },
      { name: 'prices', run: () => services.prices.stop(), timeoutMs: 2_000 },
      { name: 'webhooks', run: () => services.deliveries.stop(), timeoutMs: 5_000 },
      { name: 'endpoints', run: () => services.rpcEndpoints.stop(), timeoutMs: 1_000 },
      { name: 'probes', run: () => services.health.stop().finally(services.closeEndpoints), timeoutMs: 1_000 },
      { name: 'readiness', run: () => ops.stop(), timeoutMs: 1_000 },
      { name: 'http client', run: () => http.close(), timeoutMs: 1_000 },
      { name: 'outbound clients', run: () => outbound.close(), timeoutMs: 1_000 },
      { name: 'traces', run: () => tracer.close(), timeoutMs: 2_000 },
      { name: 'database', run: () => storage.close(), timeoutMs: 35_000 },
    ],
    report(error) {
      ops.readiness.giveUp();
      log.fatal({ err: error }, 'an error reached nobody: ending the process');
    },
  };
}
