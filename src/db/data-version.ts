import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands for what all tenants share: assets, prices and currency rates. */
export const SHARED_DATA_ID = '00000000-0000-0000-0000-000000000000';

/** Where changes are told: `<tenant> <version>`. */
export const DATA_CHANNEL = 'chainfolio_data';

/**
 * Counts a change of what a tenant sees and tells every process of it once the transaction is through. To be the last statement of the transaction: it
 * holds the tenant's counter until the end, and versions that are told in the order of the commits are what caches go by.
 */
export async function noteChange(db: Kysely<Schema>, tenantId: string): Promise<void> {
  await sql`
    with changed as (
      insert into data_versions as v (tenant_id) values (${tenantId})
      on conflict (tenant_id) do update set version = v.version + 1
      returning tenant_id, version
    )
    select pg_notify(${DATA_CHANNEL}, tenant_id || ' ' || version) from changed`.execute(db);
}
