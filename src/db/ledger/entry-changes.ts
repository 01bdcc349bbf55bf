import { type Kysely, sql, type Transaction } from 'kysely';
import { formatDecimal } from '../../domain/decimal.ts';
import type { LedgerEntry, NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import type { IfVersion } from '../../domain/version.ts';
import { checkVersion } from '../check-version.ts';
import { noteChange } from '../data-version.ts';
import { isUniqueViolation } from '../pg-errors.ts';
import type { Schema } from '../schema.ts';
import { toStorableText } from '../storable-text.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';
import { type EntryRow, toEntry } from './select-entries.ts';

/** One entry of a tenant, of one of these versions. */
export type EntryToChange = { readonly id: string; readonly ifVersion: IfVersion };

/** What becomes of an entry, from what it is. To have no effect but its result. */
export type EntryChange = (
  entry: LedgerEntry & Pick<NewLedgerEntry, 'reference'>,
) => Pick<NewLedgerEntry, 'occurredAt' | 'price' | 'note' | 'reference'>;

/** What was read from a chain stays as it is. */
type Refused = 'not_found' | 'from_chain';

/** `duplicate`: another entry has the reference already. Throws precondition_failed. */
export async function updateEntry(
  db: Kysely<Schema>,
  tenantId: string,
  { id, ifVersion, change }: EntryToChange & { readonly change: EntryChange },
): Promise<'updated' | 'duplicate' | Refused> {
  if (!isUuid(id)) return 'not_found';
  try {
    return await inTransaction(db, async (trx) => {
      await checkVersion(trx, { table: 'ledger_entries', tenantId, id, ifVersion });
      const row = await lockEntry(trx, tenantId, id);
      if (row === undefined) return 'not_found';
      if (row.origin === 'chain') return 'from_chain';
      const { occurredAt, price, note, reference } = change({ ...toEntry(row), reference: row.reference });
      await sql`
        update ledger_entries set occurred_at = ${occurredAt}, note = ${toStorableText(note)}, reference = ${reference},
          price = ${price && formatDecimal(price.value)}, price_currency = ${price?.currency ?? null}, version = version + 1
        where tenant_id = ${tenantId} and id = ${id}`.execute(trx);
      await noteChange(trx, tenantId);
      return 'updated';
    });
  } catch (error) {
    if (isUniqueViolation(error)) return 'duplicate';
    throw error;
  }
}

/** Throws precondition_failed. */
export async function deleteEntry(
  db: Kysely<Schema>,
  tenantId: string,
  { id, ifVersion }: EntryToChange,
): Promise<'deleted' | Refused> {
  if (!isUuid(id)) return 'not_found';
  return inTransaction(db, async (trx) => {
    await checkVersion(trx, { table: 'ledger_entries', tenantId, id, ifVersion });
    const row = await lockEntry(trx, tenantId, id);
    if (row === undefined) return 'not_found';
    if (row.origin === 'chain') return 'from_chain';
    await trx.deleteFrom('ledger_entries').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
    await noteChange(trx, tenantId);
    return 'deleted';
  });
}

/** Only what is read from a chain is classified when it is read; all else is of the type that was entered. */
async function lockEntry(trx: Transaction<Schema>, tenantId: string, id: string): Promise<EntryRow | undefined> {
  const { rows } = await sql<EntryRow>`
    select e.*, e.kind as type from ledger_entries e where e.tenant_id = ${tenantId} and e.id = ${id} for update`.execute(trx);
  return rows[0];
}
