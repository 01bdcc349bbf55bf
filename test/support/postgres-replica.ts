import { execFile } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { openCluster } from '../../src/db/embedded/cluster.ts';
import { findPostmaster } from '../../src/db/embedded/postmaster-file.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

/** A real hot standby that streams from a server of the suite. */
export type PostgresReplica = {
  readonly url: string;
  /** Goes on receiving, but shows nothing of it. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  query(text: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
};

const ROLE = 'replication_test';

/** Copies the server as it runs, and has the copy follow it. Resolves when it streams. */
export async function startPostgresReplica(primary: PostgresCluster): Promise<PostgresReplica> {
  const [shown] = await primary.query('show data_directory');
  const source = dirname(String(shown?.data_directory));
  const folder = await mkdtemp(join(tmpdir(), `chainfolio-test-${process.pid}-`));
  await chmod(folder, 0o755);
  await copyRunning(primary, source, join(folder, 'postgres'));
  const data = join(folder, 'postgres', 'data');
  const { port: primaryPort } = new URL(primary.url);
  await primary.query(`drop role if exists ${ROLE}`);
  await primary.query(`create role ${ROLE} with login replication password '${ROLE}'`);
  const connection = `host=127.0.0.1 port=${primaryPort} user=${ROLE} password=${ROLE}`;
  // The configuration itself is written anew at every start; this file is read after it.
  await writeFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${connection}'\nhot_standby = on\n`);
  await writeAsOwner(data, 'standby.signal', '');
  const cluster = await openCluster(folder);
  const start = async (port?: number): Promise<void> => {
    if (!(await cluster.start(port))) throw new Error(await cluster.explainFailure());
  };
  await start();
  const port = (await findPostmaster(data))?.port ?? 0;
  const stop = async (): Promise<void> => {
    const running = await findPostmaster(data);
    if (running !== undefined) await cluster.stop(running.pid);
  };
  const url = new URL(primary.url);
  url.port = String(port);
  const query: PostgresReplica['query'] = (text) => run(url.href, async (client) => (await client.query(text)).rows);
  return {
    url: url.href,
    pauseReplay: async () => void (await query('select pg_wal_replay_pause()')),
    resumeReplay: async () => void (await query('select pg_wal_replay_resume()')),
    query,
    stop,
    start: () => start(port),
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL's own way of copying a server that runs: what is half written in the copy is put right from the log. */
async function copyRunning(primary: PostgresCluster, source: string, target: string): Promise<void> {
  await run(primary.url, async (client) => {
    await client.query("select pg_backup_start('replica', true)");
    // Files may come and go meanwhile, of which it complains.
    await promisify(execFile)('cp', ['-a', source, target]).catch(() => undefined);
    const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
    await rm(join(target, 'data', 'postmaster.pid'), { force: true });
    await writeAsOwner(join(target, 'data'), 'backup_label', rows[0].labelfile);
  });
}

/** PostgreSQL runs as another user where this is run by root. */
async function writeAsOwner(folder: string, name: string, text: string): Promise<void> {
  const { uid, gid } = await stat(folder);
  await writeFile(join(folder, name), text);
  await chown(join(folder, name), uid, gid);
}

async function run<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
