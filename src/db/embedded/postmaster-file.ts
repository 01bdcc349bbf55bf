import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A PostgreSQL server at work in a data folder. */
export type Postmaster = { readonly pid: number; readonly port: number };

/**
 * The server that runs in a data folder, or undefined. A file left behind by a server that was killed does not count, even when
 * another process has its number by now.
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const lines = (await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number.parseInt(lines[0] ?? '', 10);
  const port = Number.parseInt(lines[3] ?? '', 10);
  if (!Number.isInteger(pid) || !isAlive(pid) || !(await isPostgres(pid, dataDirectory))) return undefined;
  // The port is written a moment after the pid.
  return { pid, port: Number.isInteger(port) ? port : 0 };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function isPostgres(pid: number, dataDirectory: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(dataDirectory);
}
