import { sql, type Transaction } from 'kysely';
import { type IfVersion, requireVersion } from '../domain/version.ts';
import type { Schema } from './schema.ts';

type VersionedRow = {
  readonly table: 'wallets' | 'ledger_entries' | 'webhooks' | 'alerts';
  readonly tenantId: string;
  readonly id: string;
  readonly ifVersion: IfVersion;
};

/** Lets nobody else change the row, if there is one, until the end of the transaction. Throws precondition_failed when it has another version. */
export async function checkVersion(trx: Transaction<Schema>, { table, tenantId, id, ifVersion }: VersionedRow): Promise<void> {
  if (ifVersion === null) return;
  const { rows } = await sql<{ version: number }>`
    select version from ${sql.table(table)} where tenant_id = ${tenantId} and id = ${id} for update`.execute(trx);
  const [row] = rows;
  if (row !== undefined) requireVersion(row.version, ifVersion);
}
