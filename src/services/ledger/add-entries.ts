import { createHash } from 'node:crypto';
import type { AssetStore } from '../../db/asset-store.ts';
import type { HistoryStore } from '../../db/history/history-store.ts';
import type { TransactionStore } from '../../db/ledger/transaction-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import { caip19 } from '../../domain/asset.ts';
import { checkEntry, type EntryFault, type EntryInput, entryContent } from '../../domain/ledger/entry-input.ts';
import type { LedgerOrigin, NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import { type FindAssetDeps, findAssets } from '../find-asset.ts';
import type { AssetRulesDeps } from '../history/asset-rules.ts';
import type { Transaction } from './transaction-service.ts';
import { valueMovements } from './value-movements.ts';

export type AddDeps = AssetRulesDeps &
  Omit<FindAssetDeps, 'assets'> & {
    readonly store: TransactionStore;
    readonly history: Pick<HistoryStore, 'readRates'>;
    readonly wallets: Pick<WalletStore, 'listAll'>;
    readonly assets: AssetRulesDeps['assets'] & Pick<AssetStore, 'getByRefs'>;
    readonly now: () => Date;
  };

/** All were added, in the order given; or none, for these faults, or since these are there already. */
export type AddOutcome =
  | { readonly status: 'added'; readonly transactions: readonly Transaction[] }
  | { readonly status: 'refused'; readonly faults: readonly EntryFault[]; readonly duplicates: readonly EntryFault[] };

/** Stores all of the inputs, or none of them. */
export async function addEntries(deps: AddDeps, tenantId: string, inputs: readonly EntryInput[]): Promise<AddOutcome> {
  const { entries, faults } = await checkEntries(deps, tenantId, { inputs, origin: 'manual' });
  if (faults.length > 0) return { status: 'refused', faults, duplicates: [] };
  const repeated = findRepeats(deps, entries);
  const known = await deps.store.findKnown(tenantId, entries);
  const isDuplicate = (entry: NewLedgerEntry, index: number): boolean =>
    repeated.has(index) || known.has(deps.store.keyOf(entry));
  const duplicates = entries.flatMap((entry, index) => (isDuplicate(entry, index) ? [toDuplicate(inputs, index)] : []));
  if (duplicates.length > 0) return { status: 'refused', faults: [], duplicates };
  const ids = await deps.store.addAll(tenantId, entries);
  const stored = new Map((await deps.store.getMany(tenantId, ids)).map((entry) => [entry.id, entry]));
  const inOrder = ids.flatMap((id) => stored.get(id) ?? []);
  return { status: 'added', transactions: await valueMovements(deps, tenantId, inOrder) };
}

type Checking = { readonly inputs: readonly EntryInput[]; readonly origin: LedgerOrigin };

/** The entries that the inputs stand for, in their order. Those of inputs with faults are left out. */
export async function checkEntries(
  deps: AddDeps,
  tenantId: string,
  { inputs, origin }: Checking,
): Promise<{ readonly entries: readonly NewLedgerEntry[]; readonly faults: readonly EntryFault[] }> {
  const assetIds = inputs.map(({ asset }) => toAssetId(deps, asset));
  const [wallets, assets] = await Promise.all([
    deps.wallets.listAll(tenantId, { walletIds: [...new Set(inputs.map(({ walletId }) => walletId))] }),
    findAssets(deps, [...new Set(assetIds.flatMap((id) => id ?? []))]),
  ]);
  const byId = new Map(wallets.map((wallet) => [wallet.id, wallet]));
  const now = deps.now();
  const entries: NewLedgerEntry[] = [];
  const faults: EntryFault[] = [];
  for (const [index, input] of inputs.entries()) {
    const asset = assets.get(assetIds[index] ?? '');
    const checked = checkEntry(input, { wallet: byId.get(input.walletId), asset, now });
    if (asset === undefined || !('amountRaw' in checked)) {
      for (const fault of 'amountRaw' in checked ? [] : checked) faults.push({ index, ...fault });
      continue;
    }
    entries.push(toEntry(input, { ...checked, assetId: asset.id, chain: asset.chain, origin }));
  }
  return { entries, faults };
}

/** The places of entries that are the same as one before them in the list. */
export function findRepeats({ store }: Pick<AddDeps, 'store'>, entries: readonly NewLedgerEntry[]): ReadonlyMap<number, number> {
  const firsts = new Map<string, number>();
  const repeats = new Map<number, number>();
  for (const [index, entry] of entries.entries()) {
    const first = firsts.get(store.keyOf(entry));
    if (first === undefined) firsts.set(store.keyOf(entry), index);
    else repeats.set(index, first);
  }
  return repeats;
}

type Looked = Pick<NewLedgerEntry, 'amountRaw' | 'assetId' | 'chain' | 'origin'> & {
  readonly price: Exclude<NewLedgerEntry['price'], null>['value'] | null;
};

/** What makes an entry without a reference of its own the same one when it comes again. */
export function contentReference(...content: Parameters<typeof entryContent>): string {
  return `content:${createHash('sha256')
    .update(entryContent(...content))
    .digest('hex')}`;
}

/** Whether a reference was made of what the entry says. */
export function isContentReference(reference: string): boolean {
  return reference.startsWith('content:');
}

/** References of owners never meet those of chains. */
function toEntry(input: EntryInput, { amountRaw, assetId, chain, origin, price }: Looked): NewLedgerEntry {
  const { walletId, occurredAt, type: kind, note } = input;
  return {
    ...{ walletId, chain, assetId, occurredAt, kind, amountRaw, origin, note },
    ...{ counterparty: null, txHash: null, blockNumber: null },
    price: price === null || input.price === null ? null : { value: price, currency: input.price.currency },
    reference: input.reference === null ? contentReference(input, { assetId, amountRaw }) : `owner:${input.reference}`,
  };
}

function toAssetId({ chains, parseAddress }: AddDeps, asset: EntryInput['asset']): string | undefined {
  if (typeof asset === 'string') return asset;
  const chain = chains.find(({ slug }) => slug === asset.chain);
  if (chain === undefined) return undefined;
  const address = asset.address === null ? null : parseAddress[chain.family](asset.address);
  return address === undefined ? undefined : caip19(chain, address);
}

function toDuplicate(inputs: readonly EntryInput[], index: number): EntryFault {
  const reference = inputs[index]?.reference ?? null;
  const message =
    reference === null
      ? 'The same movement is there already. If it happened twice, give each a reference of its own.'
      : `There is an entry of this wallet with the reference ${reference} already.`;
  return { index, field: 'reference', code: 'duplicate', message };
}
