import { createHttpServer } from '../api/http-server.ts';
import { createOpsServer } from '../api/ops-server.ts';
import type { Service } from '../compose.ts';
import type { Config } from '../config.ts';
import { runShutdown } from '../lib/shutdown.ts';
import { StartupError } from '../lib/startup-error.ts';
import { composeBase } from './compose-base.ts';
import { composeJobs } from './compose-jobs.ts';

const PROBES_DEADLINE_MS = 1_000;

/** Makes a process that serves no requests but those for its health: it does what is due. Throws StartupError with what stands in the way. */
export async function composeWorker(config: Config): Promise<Service> {
  // The embedded one belongs to the service that started it: a second one would be empty.
  if (config.databaseUrl === null)
    throw new StartupError('DATABASE_URL: a worker that runs alone needs the database of the service it works for');
  const base = await composeBase(config, { serviceName: 'chainfolio-worker', isSampling: true });
  const { log, metrics, ops } = base;
  const jobs = await composeJobs(config, base);
  const app = createOpsServer({ readiness: ops.readiness, metrics, isLoopback: config.isLoopback, log });
  const server = createHttpServer({ app, host: config.host, port: config.workerPort, deadlineMs: PROBES_DEADLINE_MS });
  return {
    start: () => base.serve({ server, jobs }),
    stop() {
      log.info('stopping');
      ops.readiness.drain();
      const steps = [
        { name: 'jobs', run: () => jobs.stop(), timeoutMs: 15_000 },
        { name: 'http server', run: () => server.stop(), timeoutMs: PROBES_DEADLINE_MS + 1_000 },
      ];
      return runShutdown([...steps, ...base.lastSteps], log);
    },
    report: base.report,
  };
}
