import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../lib/startup-error.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { embeddedUrl } from './find-embedded-postgres.ts';
import { claimOwnership, type Ownership } from './ownership.ts';
import { findPostmaster, isPostmaster, type Postmaster } from './postmaster-file.ts';

export type EmbeddedPostgres = {
  /** Connection URL of the service's own database, with its password. */
  readonly url: string;
  /** Ends the server, cleanly if that takes less than five seconds; within ten whatever happens. */
  stop(): Promise<void>;
};

type Log = { info(details: object, message: string): void; error(details: object, message: string): void };

const START_TIMEOUT_MS = 60_000;
const RETRY_AFTER_MS = 200;
const LOOK_INTERVAL_MS = 1_000;
const MAX_FAILED_STARTS = 10;
const NAME = 'chainfolio';
const APP_ROLE = 'chainfolio_app';

/**
 * Starts a private PostgreSQL with its data in `dataDir`, made there at the first start. A server left running by a process that was killed is
 * ended and started anew. Throws StartupError in one line when another process uses the folder, or when the folder cannot be used.
 */
export async function startEmbeddedPostgres({
  dataDir,
  log,
}: {
  readonly dataDir: string;
  readonly log?: Log;
}): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(dataDir);
  const { ownership, ...postmaster } = await startOwned(cluster);
  const { port } = postmaster;
  const keeper = keepRunning(cluster, postmaster, log);
  const url = embeddedUrl(cluster.password, port);
  const stop = async (): Promise<void> => {
    const pid = await keeper.stop();
    await Promise.race([ownership.release(), sleep(1_000)]);
    await cluster.stop(pid);
  };
  try {
    await ensureDatabase(ownership, cluster.password);
  } catch (error) {
    await stop();
    throw error;
  }
  log?.info({ directory: cluster.directory, port }, 'embedded PostgreSQL started');
  let stopped: Promise<void> | undefined;
  return {
    url,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/**
 * Looks after the server: one that was killed is started again on its port, so that the pool finds it where it was. `stop` ends that and gives the pid that is
 * to be stopped.
 */
function keepRunning(cluster: Cluster, { pid: firstPid, port }: Postmaster, log: Log | undefined): { stop(): Promise<number> } {
  const stopping = new AbortController();
  let pid = firstPid;
  const look = async (): Promise<void> => {
    while (await sleep(LOOK_INTERVAL_MS, true, { signal: stopping.signal, ref: false }).catch(() => false)) {
      if (await isPostmaster(pid, cluster.dataDirectory)) continue;
      log?.error({ directory: cluster.directory, pid }, 'embedded PostgreSQL is gone: starting it again');
      // Not at once if its processes are still on their way out: then the next look tries again.
      if (await cluster.start(port)) pid = (await findPostmaster(cluster.dataDirectory))?.pid ?? pid;
    }
  };
  const looking = look();
  return {
    async stop() {
      stopping.abort();
      await looking;
      return pid;
    },
  };
}

/** A server that this process has started and alone may use. */
async function startOwned(cluster: Cluster): Promise<Postmaster & { readonly ownership: Ownership }> {
  const giveUpAt = Date.now() + START_TIMEOUT_MS;
  let startedPid: number | undefined;
  let failedStarts = 0;
  while (Date.now() < giveUpAt) {
    const running = await findPostmaster(cluster.dataDirectory);
    if (running === undefined) {
      if (await cluster.start()) {
        startedPid = (await findPostmaster(cluster.dataDirectory))?.pid;
      } else if (++failedStarts >= MAX_FAILED_STARTS) {
        throw new StartupError(`The embedded PostgreSQL does not start: ${await cluster.explainFailure()}`);
      } else {
        await sleep(RETRY_AFTER_MS);
      }
      continue;
    }
    const isOurs = running.pid === startedPid;
    const claim =
      running.port === 0
        ? ({ status: 'not_ready' } as const)
        : await claimOwnership({ port: running.port, password: cluster.password });
    if (claim.status === 'taken') {
      throw new StartupError(
        `Another chainfolio (process ${claim.ownerPid}) uses ${cluster.directory}. Stop it, or set DATA_DIR to another folder.`,
      );
    }
    if (claim.status === 'owned' && isOurs) return { ...running, ownership: claim.ownership };
    if (claim.status === 'refused') {
      // One that another process may own is not ours to end, however ill it is.
      if (isOurs) await cluster.stop(running.pid);
      throw new StartupError(
        `The PostgreSQL in ${cluster.directory} (process ${running.pid}) cannot be used: ${claim.reason}. End it, or set DATA_DIR to another folder.`,
      );
    }
    if (claim.status === 'owned') {
      // Its owner was killed. Its programs may be gone or older than ours, so it is not taken over. Owned to the end, lest another start
      // take it for its own meanwhile.
      await cluster.stop(running.pid);
      await claim.ownership.release();
    }
    await sleep(RETRY_AFTER_MS);
  }
  throw new StartupError(`The PostgreSQL in ${cluster.directory} does not answer. See server.log there.`);
}

/** The service's own role, which is no superuser, one for what it does for a single tenant, and its database. */
async function ensureDatabase(ownership: Ownership, password: string): Promise<void> {
  const roles = await ownership.query(`select from pg_roles where rolname = '${NAME}'`);
  if (roles.length === 0) await ownership.query(`create role ${NAME} login password '${password}'`);
  const appRoles = await ownership.query(`select from pg_roles where rolname = '${APP_ROLE}'`);
  if (appRoles.length === 0) await ownership.query(`create role ${APP_ROLE} nologin noinherit`);
  await ownership.query(`grant ${APP_ROLE} to ${NAME}`);
  const databases = await ownership.query(`select from pg_database where datname = '${NAME}'`);
  if (databases.length === 0) await ownership.query(`create database ${NAME} owner ${NAME}`);
}
