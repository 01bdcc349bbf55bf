import type { Portfolio, SourceReport, ValuedHolding } from '../domain/portfolio.ts';

export type PortfolioQuery = {
  readonly chains: readonly string[] | null;
  readonly walletIds: readonly string[] | null;
  /** Decimal digits in `currency`; assets worth less are left out of the lists, never out of the totals. */
  readonly minValue: string | null;
  /** Upper-case code. */
  readonly currency: string;
  readonly includeSpam: boolean;
};

export type WalletBalances = {
  readonly walletId: string;
  readonly currency: string;
  readonly holdings: readonly ValuedHolding[];
  readonly sources: readonly SourceReport[];
  readonly complete: boolean;
};

/** Reads what is stored, never a chain. Unknown wallets and chains throw wallet_not_found and unknown_chain. */
export type PortfolioService = {
  getPortfolio(tenantId: string, query: PortfolioQuery): Promise<Portfolio>;
  getWalletBalances(tenantId: string, walletId: string, query: Omit<PortfolioQuery, 'walletIds'>): Promise<WalletBalances>;
};
