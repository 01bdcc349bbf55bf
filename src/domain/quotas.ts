/** What a tenant may have or ask for at the most; null: as much as it likes. */
export type Quotas = {
  readonly wallets: number | null;
  /** Points that all its keys together may spend in a minute. */
  readonly requestsPerMinute: number | null;
  readonly refreshesPerHour: number | null;
};
