import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A PostgreSQL server at work in a data folder. `port` is 0 in the first moment. */
export type Postmaster = { readonly pid: number; readonly port: number };

/**
 * The server that runs in a data folder, or undefined. A file left behind by a server that was killed does not count, even when
 * another process has its number by now.
 */
export async function findPostmaster(dataDirectory: string): Promise<Postmaster | undefined> {
  const { pid, port } = parse(await read(dataDirectory));
  return (await isPostmaster(pid, dataDirectory)) ? { pid, port } : undefined;
}

/** Whether the process is there and is the server of the data folder. */
export async function isPostmaster(pid: number, dataDirectory: string): Promise<boolean> {
  return isAlive(pid) && (await isPostgres(pid, dataDirectory));
}

/**
 * Removes the file of a server that was killed when another process has its number by now: PostgreSQL would take that process for the
 * server and refuse to start. It clears away the files of dead processes itself.
 */
export async function removeForeignPostmasterFile(dataDirectory: string): Promise<void> {
  const text = await read(dataDirectory);
  const { pid } = parse(text);
  if (!isAlive(pid) || (await isPostgres(pid, dataDirectory))) return;
  // Unless it is another by now: then a server has just started.
  if ((await read(dataDirectory)) === text) await rm(join(dataDirectory, FILE));
}

const FILE = 'postmaster.pid';

function read(dataDirectory: string): Promise<string> {
  return readFile(join(dataDirectory, FILE), 'utf8').catch(() => '');
}

/** The pid and the port, each 0 as long as it is not written. */
function parse(text: string): Postmaster {
  const [pid = '', , , port = ''] = text.split('\n');
  return { pid: Number.parseInt(pid, 10) || 0, port: Number.parseInt(port, 10) || 0 };
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
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
