import { createDatabase } from '../../src/db/database.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';

// A process that owns the embedded database in the folder it is given. At SIGINT it still asks it something, then stops it.
const postgres = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '' });
process.once('SIGINT', async () => {
  const database = createDatabase({ url: postgres.url, log: { warn: () => undefined } });
  await database.ping();
  await database.close();
  await postgres.stop();
  process.stdout.write('stopped cleanly\n');
});
process.stdout.write(`${postgres.url}\n`);
// Stays until it is told to end.
process.stdin.resume();
process.once('SIGINT', () => process.stdin.unref());
