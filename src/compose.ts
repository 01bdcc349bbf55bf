import { createHttpServer } from './api/http-server.ts';
import { createServer } from './api/server.ts';
import { composeAccess } from './compose/compose-access.ts';
import { composeAnswers } from './compose/compose-answers.ts';
import { composeBase } from './compose/compose-base.ts';
import { composeEvents } from './compose/compose-events.ts';
import type { ComposedJobs, JobsDeps } from './compose/compose-jobs.ts';
import { composeRateLimiter } from './compose/compose-rate-limiter.ts';
import type { Config } from './config.ts';
import { chains } from './domain/chains.ts';
import { runShutdown } from './lib/shutdown.ts';

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

/** Makes the whole service. Throws StartupError with what stands in the way. */
export async function compose(config: Config): Promise<Service> {
  const base = await composeBase(config, { serviceName: 'chainfolio', isSampling: config.hasWorker });
  const { log, metrics, storage, services, ops } = base;
  const { keys, authenticate } = await composeAccess(config, base).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });
  const stopping = new AbortController();
  const limits = composeRateLimiter(config, base);
  const kept = composeAnswers(config, { ...base, feed: storage.feed });
  const events = composeEvents(config, base);
  const app = createServer({
    services: { ...services, keys, answers: kept.answers, live: events.live },
    readiness: ops.readiness,
    metrics,
    chains,
    ...services.endpoints,
    // A page that lures a browser here has no key to send.
    isLoopback: config.isLoopback && !config.keysRequired,
    rateLimiter: limits.limiter,
    trustedProxies: config.trustedProxies,
    corsOrigins: config.corsOrigins,
    cursorSecret: await storage.readCursorSecret(),
    authenticate,
    log,
    tracer: base.tracer,
    version: base.version,
    now: base.now,
    stopSignal: stopping.signal,
  });
  const jobs = await composeEmbeddedJobs(config, base);
  const drainDelayMs = config.drainDelaySeconds * 1000;
  const server = createHttpServer({ app, host: config.host, port: config.port, drainDelayMs, deadlineMs: DRAIN_DEADLINE_MS });
  return {
    start: () => base.serve({ server, jobs }),
    stop() {
      log.info('stopping');
      ops.readiness.drain();
      stopping.abort();
      // At once, so that others take over what is in hand while requests are still served.
      const jobsStopped = jobs.stop();
      jobsStopped.catch(() => undefined);
      return runShutdown(
        [
          { name: 'http server', run: () => server.stop(), timeoutMs: drainDelayMs + DRAIN_DEADLINE_MS + 2_000 },
          { name: 'jobs', run: () => jobsStopped, timeoutMs: 15_000 },
          { name: 'rate limits', run: () => limits.close(), timeoutMs: 1_500 },
          { name: 'cache', run: () => kept.close(), timeoutMs: 1_500 },
          { name: 'events', run: () => events.close(), timeoutMs: 1_500 },
          ...base.lastSteps,
        ],
        log,
      );
    },
    report: base.report,
  };
}

/** What a worker does, where this process is one too; without, there is no use for the packages of the queue. */
async function composeEmbeddedJobs(config: Config, deps: JobsDeps): Promise<ComposedJobs> {
  if (!config.hasWorker) return { start: () => undefined, stop: async () => undefined };
  const { composeJobs } = await import('./compose/compose-jobs.ts');
  return composeJobs(config, deps);
}
