import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

/** A table as an export holds it. */
export type ExportTable = {
  readonly name: string;
  /** What only means something to the processes of the moment. */
  readonly leftOut?: readonly string[];
};

/** Everything that is a tenant's or cannot be made again. What others refer to comes before them. */
export const EXPORT_TABLES: readonly ExportTable[] = [
  { name: 'tenants' },
  { name: 'assets' },
  { name: 'wallets' },
  { name: 'wallet_chains' },
  { name: 'removed_wallets' },
  { name: 'wallet_schedules', leftOut: ['claim_id', 'claimed_until'] },
  { name: 'asset_settings' },
  { name: 'sources' },
  { name: 'balances' },
  { name: 'prices' },
  { name: 'fx_rates' },
  { name: 'price_points' },
  { name: 'fx_points' },
  { name: 'snapshots' },
  { name: 'holding_series' },
  { name: 'holding_points' },
  { name: 'exclusion_points' },
  { name: 'snapshot_hours' },
  { name: 'asset_hours' },
  { name: 'snapshot_days' },
  { name: 'asset_days' },
  { name: 'history_thinning' },
  { name: 'ledger_entries' },
  { name: 'transfer_imports' },
  { name: 'backfills', leftOut: ['runner_id', 'lease_until'] },
  { name: 'backfill_chains' },
  { name: 'tenant_quotas' },
  { name: 'rpc_endpoints' },
  // Events are counted anew where they are imported.
  { name: 'webhooks', leftOut: ['seen_seq', 'failing_since', 'paused_until'] },
  { name: 'alerts', leftOut: ['seen_version'] },
];

/**
 * How far the caches are, what refreshes did, what happened and was told, and when gaps could not be filled: all begin anew. Keys are left out too: one that was
 * revoked since would open the door again.
 */
export const TABLES_LEFT_OUT: readonly string[] = [
  'data_versions',
  'api_keys',
  'refreshes',
  'refresh_sources',
  'events',
  'event_counters',
  'stale_sources',
  'snapshot_gaps',
  'healing_attempts',
  'webhook_deliveries',
  'idempotency_keys',
  'service_secrets',
];

export type ExportColumn = { readonly name: string; readonly type: string };

/** The columns of a table that an export holds, in their order. */
export async function listExportColumns(
  db: Kysely<Schema>,
  { name, leftOut = [] }: ExportTable,
): Promise<readonly ExportColumn[]> {
  const { rows } = await sql<ExportColumn>`
    select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = ${name}::regclass and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum`.execute(db);
  return rows.filter((column) => !leftOut.includes(column.name));
}
