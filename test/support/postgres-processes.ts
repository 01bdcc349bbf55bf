import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** The numbers of all processes of the embedded server in a folder, its first one first. */
export async function listPostgresProcesses(dataDir: string, url: string): Promise<readonly number[]> {
  const client = new pg.Client(asSuperuser(url));
  await client.connect();
  const { rows } = await client.query('select pid from pg_stat_activity where pid <> pg_backend_pid()');
  await client.end();
  return [readPostmasterPid(dataDir), ...rows.map((row) => Number(row.pid))];
}

export function readPostmasterPid(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8'), 10);
}

/** The superuser's URL of an embedded server. */
export function asSuperuser(url: string): string {
  return url.replace('//chainfolio:', '//postgres:');
}

/** Sends a signal to each process that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone already.
    }
  }
}
