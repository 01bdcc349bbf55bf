import type { HistoryStore } from '../../db/history/history-store.ts';
import type { LedgerStore } from '../../db/ledger/ledger-store.ts';
import type { EntryQuery, TransactionStore, TransferImport } from '../../db/ledger/transaction-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { Chain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { ENTRY_TYPES, type EntryType, type LedgerEntry } from '../../domain/ledger/ledger.ts';
import { ageSeconds } from '../../domain/source-report.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { type FindAssetDeps, findAssets } from '../find-asset.ts';
import type { AssetRulesDeps } from '../history/asset-rules.ts';
import { requirePastWallets } from '../history/require-past-wallets.ts';
import { requireChain } from '../require-known.ts';
import { readDerived } from './read-derived.ts';
import { isAfter, placeOf } from './transaction-place.ts';
import type { ImportReach, Movement, TransactionPage, TransactionQuery } from './transaction-service.ts';
import { valueMovements } from './value-movements.ts';

export type ListDeps = AssetRulesDeps &
  FindAssetDeps & {
    readonly store: TransactionStore;
    readonly ledger: Pick<LedgerStore, 'sumBetween'>;
    readonly history: Pick<HistoryStore, 'readRates' | 'findWallets'>;
    readonly wallets: Pick<WalletStore, 'listAll'>;
    readonly assets: AssetRulesDeps['assets'] & FindAssetDeps['assets'];
    readonly chains: readonly Chain[];
  };

/** One page: entries, and in between what follows from the amounts. */
export async function listTransactions(deps: ListDeps, tenantId: string, query: TransactionQuery): Promise<TransactionPage> {
  for (const slug of query.chains ?? []) requireChain(deps.chains, slug);
  const wallets = await deps.wallets.listAll(tenantId, { walletIds: query.walletIds });
  await requirePastWallets(deps.history, tenantId, {
    walletIds: query.walletIds,
    followed: new Set(wallets.map(({ id }) => id)),
  });
  const scope = { ...query, assetIds: query.assetIds === null ? null : await requireAssets(deps, query.assetIds) };
  const entries = await listEntries(deps, tenantId, scope);
  const floor = entries[query.limit]?.occurredAt ?? query.from;
  const derived = await readDerived(deps, tenantId, { ...scope, from: floor });
  const sorted = [...derived, ...entries].toSorted(byPlace);
  const page = sorted.slice(0, query.limit);
  const last = page.at(-1);
  const now = deps.now();
  return {
    transactions: await valueMovements(deps, tenantId, page),
    next: sorted.length > page.length && last !== undefined ? placeOf(last) : null,
    imports: await listReach(deps, tenantId, { wallets, chains: query.chains, now }),
    generatedAt: now,
  };
}

async function requireAssets(deps: ListDeps, ids: readonly string[]): Promise<readonly string[]> {
  const assets = await findAssets(deps, ids);
  if (ids.some((id) => !assets.has(id))) throw new AppError('asset_not_found', 'There is no asset of this id.');
  return [...assets.values()].map(({ id }) => id);
}

/** One more than the page takes, which tells whether there is another page. */
async function listEntries(deps: ListDeps, tenantId: string, query: TransactionQuery): Promise<readonly LedgerEntry[]> {
  const types = query.types?.filter(isEntryType) ?? null;
  if (types?.length === 0) return [];
  const found: EntryQuery = { ...query, types, limit: query.limit + 1 };
  return deps.store.list(tenantId, found);
}

function isEntryType(type: string): type is EntryType {
  return ENTRY_TYPES.some((known) => known === type);
}

function byPlace(a: Movement, b: Movement): number {
  return isAfter(placeOf(a), placeOf(b)) ? 1 : -1;
}

async function listReach(
  { store }: ListDeps,
  tenantId: string,
  {
    wallets,
    chains,
    now,
  }: { readonly wallets: readonly Wallet[]; readonly chains: readonly string[] | null; readonly now: Date },
): Promise<readonly ImportReach[]> {
  const keyOf = (walletId: string, chain: string): string => `${walletId}/${chain}`;
  const imports = new Map((await store.listImports(tenantId)).map((read) => [keyOf(read.walletId, read.chain), read]));
  return wallets.flatMap((wallet) =>
    wallet.chains
      .filter((chain) => chains?.includes(chain) ?? true)
      .map((chain) => toReach({ walletId: wallet.id, chain, read: imports.get(keyOf(wallet.id, chain)) ?? null }, now)),
  );
}

function toReach(
  { walletId, chain, read }: { readonly walletId: string; readonly chain: string; readonly read: TransferImport | null },
  now: Date,
): ImportReach {
  const isComplete = read?.outcome === 'ok' && read.throughBlock !== null && !read.isUnderWay && read.hasNative === true;
  return { walletId, chain, read, ageSeconds: ageSeconds(read?.attemptedAt ?? null, now), isComplete };
}
