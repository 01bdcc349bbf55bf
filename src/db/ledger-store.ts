import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { Decimal, formatDecimal } from '../domain/decimal.ts';
import type { EntryType, LedgerEntry, NewLedgerEntry } from '../domain/ledger.ts';
import { noteChange } from './data-version.ts';
import type { Interval } from './history-store.ts';
import { sumBetween } from './ledger-sums.ts';
import type { Schema } from './schema.ts';
import { classifiedEntries, matches } from './select-entries.ts';
import { toStorableText } from './storable-text.ts';
import { inTransaction } from './transaction.ts';

export type LedgerFilter = {
  readonly walletIds: readonly string[] | null;
  readonly chains: readonly string[] | null;
  readonly assetIds: readonly string[] | null;
};

/**
 * What moved one asset of one wallet from the snapshot at the beginning of an interval to the one at its end, by type. An entry counts where the amounts first show it: at the first snapshot whose block is not before
 * its own. `unexplained`: what the ledger does not say of it; `opening`: what was there when the wallet was first read.
 */
export type LedgerSum = {
  /** Of the interval in the list. */
  readonly place: number;
  readonly walletId: string;
  readonly assetId: string;
  readonly type: EntryType | 'unexplained' | 'opening';
  /** In smallest units; below zero for what went out. Never zero. */
  readonly amountRaw: bigint;
};

export type LedgerStore = {
  /** Stores what is not there yet, and tells the references of what is: an entry is the same when its reference in its wallet is. */
  addMany(
    tenantId: string,
    entries: readonly NewLedgerEntry[],
  ): Promise<{ readonly added: readonly string[]; readonly known: readonly string[] }>;
  /** The entries of a time (`from` is not part of it, `to` is), oldest first, classified by the wallets tracked now. */
  listBetween(tenantId: string, query: LedgerFilter & Interval): Promise<readonly LedgerEntry[]>;
  /** What moved from snapshot to snapshot: the sums over an interval's types are the difference of the amounts at its two ends. */
  sumBetween(tenantId: string, query: LedgerFilter & { readonly intervals: readonly Interval[] }): Promise<readonly LedgerSum[]>;
};

export function createLedgerStore(db: Kysely<Schema>): LedgerStore {
  return {
    async addMany(tenantId, entries) {
      if (entries.length === 0) return { added: [], known: [] };
      const unique = new Map(entries.map((entry) => [entryKey(entry.walletId, entry.reference), entry]));
      const added = await inTransaction(db, async (trx) => {
        const keys = await insertAll(trx, tenantId, [...unique.values()]);
        if (keys.size > 0) await noteChange(trx, tenantId);
        return keys;
      });
      return splitByOutcome(entries, added);
    },
    async listBetween(tenantId, query) {
      const { rows } = await sql<EntryRow>`
        select e.* from ${classifiedEntries(tenantId)} e
        where e.occurred_at > ${query.from} and e.occurred_at <= ${query.to} and ${matches('e', query)}
        order by e.occurred_at, e.id`.execute(db);
      return rows.map(toEntry);
    },
    sumBetween: (tenantId, query) => sumBetween(db, tenantId, query),
  };
}

/** Sorted, so that two calls never wait for each other. A wallet that is gone by now takes its entries along. */
async function insertAll(
  trx: Transaction<Schema>,
  tenantId: string,
  entries: readonly NewLedgerEntry[],
): Promise<ReadonlySet<string>> {
  const column = (read: (entry: NewLedgerEntry) => string | null): readonly (string | null)[] => entries.map(read);
  const { rows } = await sql<{ wallet_id: string; reference: string }>`
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
    returning wallet_id, reference`.execute(trx);
  return new Set(rows.map((row) => entryKey(row.wallet_id, row.reference)));
}

function entryKey(walletId: string, reference: string): string {
  return `${walletId}/${reference}`;
}

/** Of an entry that comes twice in one call, the first one may be new. */
function splitByOutcome(
  entries: readonly NewLedgerEntry[],
  inserted: ReadonlySet<string>,
): { readonly added: readonly string[]; readonly known: readonly string[] } {
  const fresh = new Set(inserted);
  const isAdded = entries.map(({ walletId, reference }) => fresh.delete(entryKey(walletId, reference)));
  const references = (wanted: boolean): readonly string[] =>
    entries.flatMap(({ reference }, index) => (isAdded[index] === wanted ? [reference] : []));
  return { added: references(true), known: references(false) };
}

type EntryRow = Omit<Selectable<Schema['ledger_entries']>, 'kind'> & { readonly type: EntryType };

function toEntry(row: EntryRow): LedgerEntry {
  const { price, price_currency: currency } = row;
  return {
    id: row.id,
    walletId: row.wallet_id,
    chain: row.chain,
    assetId: row.asset_id,
    occurredAt: row.occurred_at,
    type: row.type,
    amountRaw: BigInt(row.amount_raw),
    counterparty: row.counterparty,
    txHash: row.tx_hash,
    blockNumber: row.block_number === null ? null : BigInt(row.block_number),
    origin: row.origin,
    price: price === null || currency === null ? null : { value: new Decimal(price), currency },
    note: row.note,
  };
}
