import type { AssetRef } from '../asset.ts';
import type { Decimal } from '../decimal.ts';

/**
 * What an entry of the ledger is. `deposit` and `withdrawal` cross the border of what is tracked; `internal` goes from one tracked wallet to another, and nets to zero; `trade` is one leg of an exchange;
 * `fee` was paid to the chain; `income` was earned by what is held.
 */
export const ENTRY_TYPES = ['deposit', 'withdrawal', 'internal', 'trade', 'fee', 'income'] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** As it is stored: a `transfer` is classified when it is read, by the wallets that are tracked then. */
export type LedgerKind = EntryType | 'transfer';

/** Where an entry comes from: read from the chain, entered by hand, or from a file. */
export type LedgerOrigin = 'chain' | 'manual' | 'csv';

/** One movement of one asset into or out of one wallet. */
export type LedgerEntry = {
  readonly id: string;
  readonly walletId: string;
  readonly chain: string;
  readonly assetId: string;
  readonly occurredAt: Date;
  readonly type: EntryType;
  /** In smallest units; below zero for what went out. Never zero. */
  readonly amountRaw: bigint;
  /** The other end's address, where one is known. */
  readonly counterparty: string | null;
  readonly txHash: string | null;
  readonly blockNumber: bigint | null;
  readonly origin: LedgerOrigin;
  /** What one whole cost or brought, by the owner's word. */
  readonly price: { readonly value: Decimal; readonly currency: string } | null;
  readonly note: string | null;
  /** Another one after each change. */
  readonly version: number;
};

/** An entry to be stored. `reference` is what makes it the same one when it comes again, within its wallet. */
export type NewLedgerEntry = Omit<LedgerEntry, 'id' | 'type' | 'version'> & {
  readonly kind: LedgerKind;
  readonly reference: string;
};

/** One movement as a chain tells it, of one asset into (above zero) or out of one wallet. */
export type Transfer = {
  readonly asset: AssetRef;
  readonly kind: 'transfer' | 'fee';
  readonly amountRaw: bigint;
  readonly counterparty: string | null;
  readonly occurredAt: Date;
  readonly txHash: string;
  readonly blockNumber: bigint;
  /** Unique within the wallet: the transaction, and the place in it. */
  readonly reference: string;
};
