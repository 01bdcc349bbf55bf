import { locateQueue } from './compose/compose-jobs.ts';
import { loadConfig } from './config.ts';
import { createDatabase } from './db/database.ts';
import { findEmbeddedPostgres } from './db/embedded/find-embedded-postgres.ts';
import { createScheduleStore } from './db/schedule-store.ts';
import { createDeadLetters, type DeadLetters } from './jobs/dead-letters.ts';
import { createJobQueue } from './jobs/job-queue.ts';
import { openQueueBackend } from './jobs/queue-backend.ts';
import { StartupError } from './lib/startup-error.ts';

const USAGE = 'Usage: npm run dead-letters -- list | replay <id> | replay --all';

try {
  process.stdout.write(`${await withDeadLetters(process.argv.slice(2), run)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
// Connections to a store that does not answer may still be open.
process.exit();

async function run([command, id, ...rest]: readonly string[], letters: DeadLetters): Promise<string> {
  if (rest.length > 0) throw new StartupError(USAGE);
  if (command === 'list' && id === undefined) return letters.describe();
  if (command === 'replay' && id === '--all') return `Replayed: ${await letters.replayAll()}`;
  if (command === 'replay' && id !== undefined) {
    await letters.replay(id);
    return `Replayed: ${id}`;
  }
  throw new StartupError(USAGE);
}

/** Connects to the queue and the database of the service that runs with this configuration. */
async function withDeadLetters(
  args: readonly string[],
  work: (args: readonly string[], letters: DeadLetters) => Promise<string>,
): Promise<string> {
  const config = loadConfig();
  const url = config.databaseUrl ?? (await findEmbeddedPostgres(config.dataDir));
  if (url === undefined) throw new StartupError('The service is not running here, and with it its database. Start it first.');
  const log = { warn: () => undefined };
  const database = createDatabase({ url, log });
  const backend = openQueueBackend(locateQueue(config, { url, isEmbedded: false }), log);
  try {
    const { makeDue } = createScheduleStore(database.tenants);
    return await work(args, createDeadLetters({ queue: createJobQueue(backend), redoBatch: makeDue }));
  } finally {
    await Promise.all([backend.close(), database.close()]);
  }
}
