import type { Kysely } from 'kysely';
import { StartupError } from '../../lib/startup-error.ts';
import type { Schema } from '../schema.ts';

/** A secret that the database made for all processes of the service. Throws StartupError when it is not there. */
export async function readSecret(db: Kysely<Schema>, name: 'cursors'): Promise<Buffer> {
  const row = await db.selectFrom('service_secrets').select('secret').where('name', '=', name).executeTakeFirst();
  if (row === undefined)
    throw new StartupError(`DATABASE_URL: the database has lost the secret ${name}; a new row in service_secrets brings it back`);
  return row.secret;
}
