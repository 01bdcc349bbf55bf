import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands for what all tenants share: assets, prices and currency rates. */
export const SHARED_DATA_ID = '00000000-0000-0000-0000-000000000000';

/** Where changes are told: `<tenant> <version>`. */
export const DATA_CHANNEL = 'chainfolio_data';

/**
 * Counts a change of what a tenant sees and tells every process of it once the transaction is through. To be the last statement of the transaction: it
 * holds the tenant's counter until the end, and versions that are told in the order of the commits are what caches go by. The count begins at the
 * microsecond of the first change, so that two databases never mean different data by one version.
 */
export async function noteChange(db: Kysely<Schema>, tenantId: string): Promise<void> {
  await sql`
    with changed as (
      insert into data_versions as v (tenant_id, version)
      values (${tenantId}, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
      on conflict (tenant_id) do update set version = v.version + 1
      returning tenant_id, version
    )
    select pg_notify(${DATA_CHANNEL}, tenant_id || ' ' || version) from changed`.execute(db);
}

/** The state of all that a tenant sees: what is its own and what all share. Each only ever grows. */
export type DataVersion = {
  readonly own: bigint;
  readonly shared: bigint;
  /** Both in one text, the same for the same state only. */
  readonly key: string;
};

export function toVersion(own: bigint, shared: bigint): DataVersion {
  return { own, shared, key: `${own}.${shared}` };
}

/** What is committed now. To be read before the data that it is to stand for, so that they can only be newer. */
export async function readVersion(db: Kysely<Schema>, tenantId: string): Promise<DataVersion> {
  const rows = await db.selectFrom('data_versions').selectAll().where('tenant_id', 'in', [tenantId, SHARED_DATA_ID]).execute();
  const versionOf = (id: string): bigint => BigInt(rows.find((row) => row.tenant_id === id)?.version ?? 0);
  return toVersion(versionOf(tenantId), versionOf(SHARED_DATA_ID));
}

/** Whether all that `wanted` stands for is in `version`. */
export function hasReached(version: DataVersion, wanted: DataVersion): boolean {
  return version.own >= wanted.own && version.shared >= wanted.shared;
}
