import { createHttpServer } from './api/http-server.ts';
import { createOpsServer } from './api/ops-server.ts';
import type { Service } from './compose.ts';
import { composeBase } from './compose-base.ts';
import { composeJobs } from './compose-jobs.ts';
import type { Config } from './config.ts';
import { runShutdown } from './lib/shutdown.ts';

const PROBES_DEADLINE_MS = 1_000;

/** Makes a process that serves no requests but those for its health: it does what is due. Throws StartupError with what stands in the way. */
export async function composeWorker(config: Config): Promise<Service> {
  const base = await composeBase(config, { serviceName: 'chainfolio-worker', isSampling: true });
  const { log, metrics, ops } = base;
  const jobs = await composeJobs(config, base);
  const app = createOpsServer({ readiness: ops.readiness, metrics, isLoopback: config.isLoopback, log });
  const server = createHttpServer({ app, host: config.host, port: config.workerPort, deadlineMs: PROBES_DEADLINE_MS });
  return {
    async start() {
      const { url } = await server.listen();
      base.start();
      jobs.start();
      log.info({ url }, 'serving');
      return { url };
    },
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
