import type { ChainFamily } from '../domain/chain.ts';
import type { Wallet } from '../domain/wallet.ts';

export type NewWallet = {
  readonly family: ChainFamily;
  readonly address: string;
  readonly name: string | null;
  readonly label: string | null;
  readonly chains: readonly string[];
};

export type WalletPage = { readonly wallets: readonly Wallet[]; readonly next: WalletCursor | null };
export type WalletCursor = { readonly createdAt: Date; readonly id: string };

export type WalletStore = {
  /**
   * Adds wallets, in the order given, in one transaction. One whose family and address the tenant follows already keeps its id, name and label,
   * gains the chains it lacks, and comes back as not created. The same address twice in one call is one wallet.
   */
  addMany(tenantId: string, wallets: readonly NewWallet[]): Promise<readonly { wallet: Wallet; created: boolean }[]>;
  get(tenantId: string, id: string): Promise<Wallet | undefined>;
  /** Newest last; `chain` keeps wallets that follow it. */
  list(
    tenantId: string,
    options: { readonly limit: number; readonly after: WalletCursor | null; readonly chain: string | null },
  ): Promise<WalletPage>;
  /** All wallets of a scope at once, oldest first; null means all. */
  listAll(tenantId: string, scope: { readonly walletIds: readonly string[] | null }): Promise<readonly Wallet[]>;
  setLabel(tenantId: string, id: string, label: string | null): Promise<Wallet | undefined>;
  /** Also deletes the wallet's balances and sources. False when there is no such wallet. */
  delete(tenantId: string, id: string): Promise<boolean>;
};
