import type { WalletCursor, WalletPage } from '../db/wallet-store.ts';
import type { AppError } from '../domain/errors.ts';
import type { Wallet } from '../domain/wallet.ts';

/** What a caller sends: an address or a name, and the chains to follow it on (null: guessed from the address's family). */
export type WalletInput = { readonly address: string; readonly chains: readonly string[] | null; readonly label: string | null };

export type WalletAdded = { readonly wallet: Wallet; readonly created: boolean };

export type WalletService = {
  /** Throws invalid_address, unknown_chain, unsupported_name, name_not_found, or an upstream code when a name cannot be looked up. */
  add(tenantId: string, input: WalletInput, signal: AbortSignal): Promise<WalletAdded>;
  /** One result for each input, in order; a bad one spoils no other. */
  addMany(tenantId: string, inputs: readonly WalletInput[], signal: AbortSignal): Promise<readonly (WalletAdded | AppError)[]>;
  list(tenantId: string, options: { limit: number; after: WalletCursor | null; chain: string | null }): Promise<WalletPage>;
  /** These three throw wallet_not_found. */
  get(tenantId: string, id: string): Promise<Wallet>;
  setLabel(tenantId: string, id: string, label: string | null): Promise<Wallet>;
  delete(tenantId: string, id: string): Promise<void>;
};
