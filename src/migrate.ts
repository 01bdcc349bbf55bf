import { loadConfig } from './config.ts';
import { createDatabase } from './db/database.ts';
import { migrateToLatest } from './db/migrations.ts';
import { AppError } from './domain/errors.ts';
import { openQueueBackend } from './jobs/queue-backend.ts';
import { StartupError } from './lib/startup-error.ts';

/** A migration may rewrite a large table. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

try {
  process.stdout.write(`${await migrate()}\n`);
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}

/** Brings the tables of the database at DATABASE_URL up to date and says what was done. */
async function migrate(): Promise<string> {
  const { databaseUrl: url, redisQueueUrl } = loadConfig();
  if (url === null) return 'DATABASE_URL is not set: the embedded database is brought up to date at every start.';
  const log = { warn: () => undefined };
  const database = createDatabase({ url, log, queryTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    const applied = await migrateToLatest(database.db);
    if (redisQueueUrl === null) await makeQueueTables(url);
    return applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}`;
  } finally {
    await database.close();
  }
}

/** BullMQ looks after its own tables. */
async function makeQueueTables(url: string): Promise<void> {
  const queue = openQueueBackend({ kind: 'postgres', url, migrate: true }, { warn: () => undefined });
  try {
    await queue.getQueue();
  } finally {
    await queue.close();
  }
}

function describe(error: unknown): string {
  if (error instanceof StartupError) return error.message;
  const cause = error instanceof AppError && error.cause instanceof Error ? error.cause : error;
  return `The database could not be brought up to date: ${cause instanceof Error ? cause.message : String(cause)}`;
}
