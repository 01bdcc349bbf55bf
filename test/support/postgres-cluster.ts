import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const { pid } = await postmaster();
    // A killed server leaves its children to find that out themselves.
    const pids = signal === 'SIGKILL' ? [pid, ...(await listChildren(pid))] : [pid];
    signalAll(pids, signal);
    while ((await findPostmaster(cluster.dataDirectory)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
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
    kill: () => end('SIGKILL'),
    stopFast: () => end('SIGINT'),
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
