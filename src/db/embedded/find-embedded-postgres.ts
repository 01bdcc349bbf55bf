import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findPostmaster } from './postmaster-file.ts';

/** The connection URL of the embedded server that a running service has in `dataDir`; undefined when there is none. */
export async function findEmbeddedPostgres(dataDir: string): Promise<string | undefined> {
  const directory = join(resolve(dataDir), 'postgres');
  const postmaster = await findPostmaster(join(directory, 'data'));
  if (postmaster === undefined || postmaster.port === 0) return undefined;
  const password = (await readFile(join(directory, 'password'), 'utf8')).trim();
  return embeddedUrl(password, postmaster.port);
}

/** Where the service's own database is. */
export function embeddedUrl(password: string, port: number): string {
  return `postgres://chainfolio:${password}@127.0.0.1:${port}/chainfolio`;
}
