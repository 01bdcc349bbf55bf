import { sql } from 'kysely';
import type { EntryType, LedgerEntry, NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import { noteChange } from '../data-version.ts';
import type { Interval } from '../history/history-store.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { sumBetween } from './ledger-sums.ts';
import { entryKey, insertEntries } from './save-entries.ts';
import { classifiedEntries, type EntryRow, matches, toEntry } from './select-entries.ts';

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

export function createLedgerStore(db: TenantDb): LedgerStore {
  return {
    async addMany(tenantId, entries) {
      if (entries.length === 0) return { added: [], known: [] };
      const unique = new Map(entries.map((entry) => [entryKey(entry), entry]));
      const added = await inTransaction(db.of(tenantId), async (trx) => {
        const ids = await insertEntries(trx, tenantId, [...unique.values()]);
        if (ids.size > 0) await noteChange(trx, tenantId);
        return ids;
      });
      return splitByOutcome(entries, added);
    },
    async listBetween(tenantId, query) {
      const { rows } = await sql<EntryRow>`
        select e.* from ${classifiedEntries(tenantId)} e
        where e.occurred_at > ${query.from} and e.occurred_at <= ${query.to} and ${matches('e', query)}
        order by e.occurred_at, e.id`.execute(db.of(tenantId));
      return rows.map(toEntry);
    },
    sumBetween: (tenantId, query) => sumBetween(db.of(tenantId), tenantId, query),
  };
}

/** Of an entry that comes twice in one call, the first one may be new. */
function splitByOutcome(
  entries: readonly NewLedgerEntry[],
  inserted: ReadonlyMap<string, string>,
): { readonly added: readonly string[]; readonly known: readonly string[] } {
  const fresh = new Set(inserted.keys());
  const isAdded = entries.map((entry) => fresh.delete(entryKey(entry)));
  const references = (wanted: boolean): readonly string[] =>
    entries.flatMap(({ reference }, index) => (isAdded[index] === wanted ? [reference] : []));
  return { added: references(true), known: references(false) };
}
