import type { EntryToChange } from '../../db/ledger/entry-changes.ts';
import type { LedgerSum } from '../../db/ledger/ledger-store.ts';
import type { TransferImport } from '../../db/ledger/transaction-store.ts';
import type { Asset } from '../../domain/asset.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { EntryInput } from '../../domain/ledger/entry-input.ts';
import type { EntryType, LedgerEntry, LedgerOrigin } from '../../domain/ledger/ledger.ts';
import { type AddDeps, type AddOutcome, addEntries } from './add-entries.ts';
import { deleteEntry, type EntryPatch, getEntry, updateEntry, type VersionedTransaction } from './change-entry.ts';
import { type ImportDeps, type ImportReport, importCsv } from './import-csv.ts';
import { type ListDeps, listTransactions } from './list-transactions.ts';

/** Beside entries: what moved and no entry explains, and what was there when a wallet was first read. */
export type TransactionType = EntryType | Extract<LedgerSum['type'], 'unexplained' | 'opening'>;

export type TransactionQuery = {
  /** `from` is part of it, `to` is not; null: without an end. */
  readonly from: Date | null;
  readonly to: Date | null;
  readonly walletIds: readonly string[] | null;
  readonly chains: readonly string[] | null;
  /** UUIDs or CAIP-19 ids. */
  readonly assetIds: readonly string[] | null;
  readonly types: readonly TransactionType[] | null;
  /** What is derived has none. */
  readonly origins: readonly LedgerOrigin[] | null;
  readonly after: TransactionPlace | null;
  readonly limit: number;
};

/** A place in the list, which goes from new to old. */
export type TransactionPlace = { readonly at: Date; readonly id: string };

/** An entry of the ledger; or what follows from the amounts of snapshots, which has no entry and so no id. */
export type Movement = Omit<LedgerEntry, 'id' | 'type' | 'origin' | 'version'> & {
  readonly id: string | null;
  readonly type: TransactionType;
  readonly origin: LedgerOrigin | null;
};

export type Transaction = {
  readonly movement: Movement;
  readonly asset: Asset;
  /** In whole units; null when the decimals are not known. */
  readonly amount: Decimal | null;
  /** Of one whole, then. */
  readonly price: {
    readonly value: Decimal;
    readonly currency: string;
    /** `entry`: written down with it; `manual`: the owner's price of the asset; else where it was quoted. */
    readonly source: string;
    readonly quotedAt: Date | null;
  } | null;
  readonly usdValue: Decimal | null;
  readonly valueReason: 'decimals_unknown' | 'price_missing' | 'fx_missing' | null;
  /** Whether the asset counts as spam today or is held back, and so is part of no total. */
  readonly isExcluded: boolean;
  /** Whether it is unexplained only because transfers have not been read so far yet. */
  readonly isPending: boolean;
};

/** How far what was read from a chain reaches. `import` null: nothing was read yet. */
export type ImportReach = {
  readonly walletId: string;
  readonly chain: string;
  readonly read: TransferImport | null;
  readonly ageSeconds: number | null;
  /** Whether all was read up to the last attempt. */
  readonly isComplete: boolean;
};

export type TransactionPage = {
  readonly transactions: readonly Transaction[];
  readonly next: TransactionPlace | null;
  readonly imports: readonly ImportReach[];
  readonly generatedAt: Date;
};

export type TransactionService = {
  /** Newest first. Throws invalid_request, wallet_not_found, unknown_chain, asset_not_found. */
  list(tenantId: string, query: TransactionQuery): Promise<TransactionPage>;
  /** Adds all of them, or none: then it tells what is wrong with which. */
  add(tenantId: string, inputs: readonly EntryInput[]): Promise<AddOutcome>;
  /** Throws transaction_not_found, also for what is derived. */
  get(tenantId: string, id: string): Promise<VersionedTransaction>;
  /**
   * Both take only what was entered by hand or from a file. Throw transaction_not_found, transaction_from_chain, precondition_failed; and duplicate_transaction or
   * invalid_request for what it may not become.
   */
  update(tenantId: string, change: EntryToChange & { readonly patch: EntryPatch }): Promise<VersionedTransaction>;
  delete(tenantId: string, place: EntryToChange): Promise<void>;
  /** Adds what a file tells, or nothing when any line of it is bad. A dry run tells the same and adds nothing. */
  importCsv(
    tenantId: string,
    text: string,
    options: { readonly timeZone: string; readonly isDryRun: boolean },
  ): Promise<ImportReport>;
};

export type TransactionServiceDeps = ListDeps & AddDeps & ImportDeps;

export function createTransactionService(deps: TransactionServiceDeps): TransactionService {
  return {
    list: (tenantId, query) => listTransactions(deps, tenantId, query),
    add: (tenantId, inputs) => addEntries(deps, tenantId, inputs),
    get: (tenantId, id) => getEntry(deps, tenantId, id),
    update: (tenantId, change) => updateEntry(deps, tenantId, change),
    delete: (tenantId, place) => deleteEntry(deps, tenantId, place),
    importCsv: (tenantId, text, options) => importCsv(deps, { tenantId, text, ...options }),
  };
}
