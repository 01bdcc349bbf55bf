import { sql, type Transaction } from 'kysely';
import { formatDecimal } from '../../domain/decimal.ts';
import type { NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import type { Schema } from '../schema.ts';
import { toStorableText } from '../storable-text.ts';

/**
 * Stores the entries that are not there yet: their ids by their keys. None of them may come twice. A wallet that is gone by now takes its entries along. Sorted, so that two calls never wait for
 * each other.
 */
export async function insertEntries(
  trx: Transaction<Schema>,
  tenantId: string,
  entries: readonly NewLedgerEntry[],
): Promise<ReadonlyMap<string, string>> {
  const column = (read: (entry: NewLedgerEntry) => string | null): readonly (string | null)[] => entries.map(read);
  const { rows } = await sql<{ id: string; wallet_id: string; reference: string }>`
    insert into ledger_entries (tenant_id, wallet_id, chain, asset_id, occurred_at, kind, amount_raw, counterparty, tx_hash, block_number, origin,
      reference, price, price_currency, note)
    select ${tenantId}, i.* from unnest(
      ${column((entry) => entry.walletId)}::uuid[],
      ${column((entry) => entry.chain)}::text[],
      ${column((entry) => entry.assetId)}::uuid[],
      ${column((entry) => entry.occurredAt.toISOString())}::timestamptz[],
      ${column((entry) => entry.kind)}::text[],
      ${column((entry) => entry.amountRaw.toString())}::numeric[],
      ${column((entry) => toStorableText(entry.counterparty))}::text[],
      ${column((entry) => toStorableText(entry.txHash))}::text[],
      ${column((entry) => entry.blockNumber?.toString() ?? null)}::bigint[],
      ${column((entry) => entry.origin)}::text[],
      ${column((entry) => entry.reference)}::text[],
      ${column((entry) => (entry.price === null ? null : formatDecimal(entry.price.value)))}::numeric[],
      ${column((entry) => entry.price?.currency ?? null)}::text[],
      ${column((entry) => toStorableText(entry.note))}::text[]
    ) as i (wallet_id, chain, asset_id, occurred_at, kind, amount_raw, counterparty, tx_hash, block_number, origin, reference, price, price_currency, note)
    where exists (select from wallets w where w.tenant_id = ${tenantId} and w.id = i.wallet_id)
    order by i.wallet_id, i.reference
    on conflict (tenant_id, wallet_id, reference) do nothing
    returning id, wallet_id, reference`.execute(trx);
  return new Map(rows.map((row) => [entryKey({ walletId: row.wallet_id, reference: row.reference }), row.id]));
}

/** What makes an entry the same one when it comes again. */
export function entryKey({ walletId, reference }: Pick<NewLedgerEntry, 'walletId' | 'reference'>): string {
  return `${walletId}/${reference}`;
}
