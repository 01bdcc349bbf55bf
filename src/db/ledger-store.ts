import type { EntryType, LedgerEntry, NewLedgerEntry } from '../domain/ledger.ts';
import type { Interval } from './history-store.ts';

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
