/** Wallets of one tenant that are read together on one chain, by whoever holds the claim. */
export type WalletBatch = {
  readonly claimId: string;
  readonly tenantId: string;
  readonly chain: string;
  readonly walletIds: readonly string[];
};

/** How far behind the schedule of one chain is. */
export type ChainBacklog = {
  readonly chain: string;
  /** Wallets that should have been read by now and that nobody has taken on. */
  readonly due: number;
  /** How long the first of them has waited; 0 when none does. */
  readonly oldestDueSeconds: number;
  /** Wallets that somebody has taken on. */
  readonly claimed: number;
};
