import { chains } from '../domain/chains.ts';
import type { FindAssetDeps } from '../services/find-asset.ts';
import { createTransactionService, type TransactionService } from '../services/ledger/transaction-service.ts';
import type { PortfolioService } from '../services/portfolio-service.ts';
import type { PriceService } from '../services/price-service.ts';
import type { ReadStores } from './compose-replica.ts';

export type LedgerServices = { readonly transactions: TransactionService };

type LedgerParts = {
  readonly prices: Pick<PriceService, 'getPrices'>;
  readonly portfolio: PortfolioService;
  readonly parseAddress: FindAssetDeps['parseAddress'];
  readonly now: () => Date;
};

/** Makes what lists and takes entries of the ledger over the stores of one database. */
export function composeLedger(stores: ReadStores, parts: LedgerParts): LedgerServices {
  const { transactions: store, ledger, history, assets, wallets } = stores;
  return { transactions: createTransactionService({ ...parts, store, ledger, history, assets, wallets, chains }) };
}
