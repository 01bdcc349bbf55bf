import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { createOpenApi } from '../../src/api/openapi.ts';
import { createRoutes } from '../../src/api/server.ts';
import { createDatabase } from '../../src/db/database.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { migrateToLatest } from '../../src/db/migrations.ts';
import { openQueueBackend } from '../../src/jobs/queue-backend.ts';
import { asSuperuser } from './postgres-processes.ts';
import { buildServerDeps } from './stub-services.ts';

const PREFIX = 'chainfolio-test-';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's URL of this run's PostgreSQL, whose own database is a migrated template. */
    postgresUrl: string;
    /** The OpenAPI document that is served, as JSON. */
    openApi: string;
  }
}

/** One PostgreSQL for the whole run, with a migrated database that every suite's own one is copied from. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeKilledRuns();
  const dataDir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const draft = await startEmbeddedPostgres({ dataDir });
  await prepareTemplate(draft.url);
  await draft.stop();
  // Started anew, because the number of connections is settled at the start.
  const postgres = await startEmbeddedPostgres({ dataDir });
  project.provide('postgresUrl', asSuperuser(postgres.url));
  project.provide('openApi', JSON.stringify(createOpenApi(createRoutes(buildServerDeps()), { version: 'test' })));
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

async function prepareTemplate(url: string): Promise<void> {
  const admin = new pg.Client(asSuperuser(url));
  await admin.connect();
  // Nothing in a test run has to outlive a power cut.
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    await admin.query(`alter system set ${setting} = off`);
  // Suites that run side by side open pools and whole services on it.
  await admin.query('alter system set max_connections = 400');
  await admin.end();
  const database = createDatabase({ url, log: { warn: () => undefined } });
  await migrateToLatest(database.db);
  await database.close();
  const queue = openQueueBackend({ kind: 'postgres', url, migrate: true }, { warn: () => undefined });
  await queue.getQueue();
  await queue.close();
}

/** A run that was killed leaves its server and its folder behind. */
async function removeKilledRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    const dataDir = join(tmpdir(), name);
    if (existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))) {
      const orphan = await startEmbeddedPostgres({ dataDir }).catch(() => undefined);
      await orphan?.stop();
    }
    await rm(dataDir, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
