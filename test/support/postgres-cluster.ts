import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openCluster } from '../../src/db/embedded/cluster.ts';
import { findPostmaster } from '../../src/db/embedded/postmaster-file.ts';
import { signalAll } from './postgres-processes.ts';
import { isolatedEnvironment, runScript } from './service-process.ts';

/** A real PostgreSQL server of a suite's own, for breaking it. */
export type PostgresCluster = {
  /** A database with all migrations, as its superuser. */
  readonly url: string;
  /** Stops every process of the server where it stands: connections stay open and nothing answers. */
  freeze(): Promise<void>;
  thaw(): void;
  /** `kill -9` of the server; its data is as a power cut leaves it. Resolves when it is gone. */
  kill(): Promise<void>;
  /** What `pg_ctl -m fast` does: rolls back what is open, ends all connections, ends. */
  stopFast(): Promise<void>;
  /** Starts it again at the same address. Resolves when it takes connections. */
  start(): Promise<void>;
  /** The rows of a query, over a connection of its own. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  close(): Promise<void>;
};

export async function startPostgresCluster(): Promise<PostgresCluster> {
  const folder = await mkdtemp(join(tmpdir(), `chainfolio-test-${process.pid}-`));
  const cluster = await openCluster(folder);
  const postmaster = async (): Promise<{ pid: number; port: number }> => {
    const found = await findPostmaster(cluster.dataDirectory);
    if (found === undefined) throw new Error('the server does not run');
    return found;
  };
  const start = async (atPort?: number): Promise<void> => {
    if (!(await cluster.start(atPort))) throw new Error(await cluster.explainFailure());
  };
  await start();
  const { port } = await postmaster();
  const url = `postgres://postgres:${cluster.password}@127.0.0.1:${port}/postgres`;
  const migrated = await runScript('migrate', { environment: isolatedEnvironment({ DATABASE_URL: url }) });
  if (migrated.code !== 0) throw new Error(migrated.output);
  let frozen: readonly number[] = [];
  const untilGone = async (): Promise<void> => {
    while ((await findPostmaster(cluster.dataDirectory)) !== undefined) await sleep(5);
  };
  return {
    url,
    async freeze() {
      const { pid } = await postmaster();
      // The first one first, so that no child is born unseen.
      signalAll([pid], 'SIGSTOP');
      frozen = [...(await listChildren(pid)), pid];
      signalAll(frozen, 'SIGSTOP');
    },
    thaw() {
      signalAll(frozen, 'SIGCONT');
      frozen = [];
    },
    async kill() {
      const { pid } = await postmaster();
      // Stopped first, so that no child is born unseen. One that is left would keep the server from starting again.
      signalAll([pid], 'SIGSTOP');
      const pids = [pid, ...(await listChildren(pid))];
      signalAll(pids, 'SIGKILL');
      await untilGone();
      while ((await Promise.all(pids.map(hasMemory))).includes(true)) await sleep(5);
    },
    async stopFast() {
      signalAll([(await postmaster()).pid], 'SIGINT');
      await untilGone();
    },
    start: () => start(port),
    async query(text, values = []) {
      const client = new pg.Client(url);
      await client.connect();
      try {
        return (await client.query(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    async close() {
      signalAll(frozen, 'SIGCONT');
      const running = await findPostmaster(cluster.dataDirectory);
      if (running !== undefined) await cluster.stop(running.pid);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listChildren(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').flatMap((number) => (number.trim() === '' ? [] : [Number(number)]));
}

/** False for a process that has ended, whether or not its parent has noticed. */
async function hasMemory(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/maps`, 'utf8').catch(() => '')) !== '';
}
