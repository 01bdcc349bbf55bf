import type { BalanceSource } from '../../adapters/balance-source.ts';
import type { PastBalanceSource } from '../../adapters/past-balance-source.ts';
import type { AssetStore } from '../../db/asset-store.ts';
import type { BalanceStore } from '../../db/balance-store.ts';
import type { HealingStore } from '../../db/history/healing-store.ts';
import type { PastAmount } from '../../db/history/past-amounts.ts';
import { type Asset, type AssetRef, assetKey } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { type Block, type SourceError, toSourceError } from '../../domain/holding.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { type StoreAssetsDeps, storeAssets } from '../store-assets.ts';

/** All that one wallet held, or why that cannot be told: a token that could not be read would be taken for one that was not held. */
export type PastWallet = {
  readonly walletId: string;
} /** `lacking`: why a token could not be read that will not be readable later either; it has no amount. */ & (
  | { readonly status: 'ok'; readonly amounts: readonly PastAmount[]; readonly lacking: SourceError | null }
  | { readonly status: 'failed'; readonly error: SourceError }
);

export type PastRead = {
  readonly block: Block | null;
  readonly wallets: readonly PastWallet[];
  readonly assets: readonly Asset[];
};

export type PastReader = {
  /** The chains that tell their past, if an endpoint keeps it. */
  readonly chains: ReadonlySet<string>;
  /** What the wallets held on the chain at a moment: its coin, and the tokens that are listed, tracked, or were ever held. Never throws for the chain's fault; rejects when the database fails. */
  read(tenantId: string, query: PastQuery): Promise<PastRead>;
};

type PastQuery = {
  readonly chain: string;
  readonly wallets: readonly Wallet[];
  readonly at: Date;
  readonly signal: AbortSignal;
};

export type PastReaderDeps = {
  readonly chains: readonly Chain[];
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  readonly pasts: ReadonlyMap<string, PastBalanceSource>;
  readonly assets: AssetStore;
  readonly balances: Pick<BalanceStore, 'listHoldings'>;
  readonly healing: Pick<HealingStore, 'listTokens'>;
  readonly listedTokens: StoreAssetsDeps['listedTokens'];
};

/** What a contract of that block answers does not change any more. */
const REFUSED_BY_TOKEN = 'upstream_reverted';
const NO_PAST: SourceError = { code: 'upstream_unsupported', provider: null };

export function createPastReader(deps: PastReaderDeps): PastReader {
  return {
    chains: new Set(deps.pasts.keys()),
    read: (tenantId, query) => read(deps, tenantId, query),
  };
}

async function read(deps: PastReaderDeps, tenantId: string, query: PastQuery): Promise<PastRead> {
  const { wallets, at, signal } = query;
  const chain = deps.chains.find(({ slug }) => slug === query.chain);
  const source = deps.sources.get(query.chain);
  const past = deps.pasts.get(query.chain);
  if (chain === undefined || source === undefined || past === undefined) return failAll(wallets, NO_PAST);
  const tokens = await listTokens(deps, tenantId, query);
  const addresses = [...new Set(wallets.map(({ address }) => address))];
  try {
    const { block, addresses: readings } = await past.readBalancesAt(at, { addresses, tokens, signal });
    const byAddress = new Map(readings.map((reading) => [reading.address, reading]));
    const amounts = readings.flatMap((reading) => (reading.status === 'ok' ? reading.readings : []));
    const held = amounts.flatMap((one) => (one.status === 'ok' && one.amountRaw > 0n ? [one.asset] : []));
    const assets = await knowAssets(deps, { chain, source, signal }, { asked: amounts.map(({ asset }) => asset), held });
    const idOf = new Map(assets.map((asset) => [assetKey(asset), asset.id]));
    return { block, assets, wallets: wallets.map(({ id, address }) => toPastWallet(id, byAddress.get(address), idOf)) };
  } catch (error) {
    const failure = toSourceError(error);
    if (!failure.code.startsWith('upstream_')) throw error;
    return failAll(wallets, failure);
  }
}

async function listTokens(
  { assets, balances, healing, listedTokens }: PastReaderDeps,
  tenantId: string,
  { chain, wallets }: PastQuery,
): Promise<readonly string[]> {
  const walletIds = wallets.map(({ id }) => id);
  const [tracked, held, ever] = await Promise.all([
    assets.listTracked(tenantId, chain),
    balances.listHoldings(tenantId, { walletIds, chains: [chain] }),
    healing.listTokens(tenantId, { chain, walletIds }),
  ]);
  const known = [...tracked, ...held].flatMap(({ asset }) => asset.address ?? []);
  return [...new Set([...listedTokens(chain).map(({ address }) => address), ...known, ...ever])];
}

type Refs = { readonly asked: readonly AssetRef[]; readonly held: readonly AssetRef[] };

/** Those known, and those that were held. What was never held anywhere need not be known. */
async function knowAssets(
  deps: PastReaderDeps,
  place: Parameters<typeof storeAssets>[1],
  { asked, held }: Refs,
): Promise<readonly Asset[]> {
  const known = new Map((await deps.assets.getByRefs([...unique(asked).values()])).map((asset) => [assetKey(asset), asset]));
  const unknown = [...unique(held)].flatMap(([key, ref]) => (known.has(key) ? [] : [ref]));
  if (unknown.length === 0) return [...known.values()];
  return storeAssets(deps, place, { named: unknown, known });
}

function unique(refs: readonly AssetRef[]): ReadonlyMap<string, AssetRef> {
  return new Map(refs.map((ref) => [assetKey(ref), ref]));
}

type Reading = Awaited<ReturnType<PastBalanceSource['readBalancesAt']>>['addresses'][number];

function toPastWallet(walletId: string, reading: Reading | undefined, idOf: ReadonlyMap<string, string>): PastWallet {
  if (reading === undefined) return { walletId, status: 'failed', error: { code: 'upstream_malformed', provider: null } };
  if (reading.status !== 'ok') return { walletId, status: 'failed', error: reading.error };
  const failures = reading.readings.flatMap((one) => (one.status === 'failed' ? [one.error] : []));
  const failure = failures.find(({ code }) => code !== REFUSED_BY_TOKEN);
  if (failure !== undefined) return { walletId, status: 'failed', error: failure };
  const amounts = reading.readings.flatMap((one) => {
    const assetId = idOf.get(assetKey(one.asset));
    return one.status === 'ok' && assetId !== undefined ? [{ assetId, amountRaw: one.amountRaw }] : [];
  });
  return { walletId, status: 'ok', amounts, lacking: failures[0] ?? null };
}

function failAll(wallets: readonly Wallet[], error: SourceError): PastRead {
  return { block: null, assets: [], wallets: wallets.map(({ id }) => ({ walletId: id, status: 'failed', error })) };
}
