import type { AssetStore } from '../../db/asset-store.ts';
import type { Interval } from '../../db/history/history-store.ts';
import type { LedgerFilter, LedgerStore } from '../../db/ledger/ledger-store.ts';
import type { TransactionStore } from '../../db/ledger/transaction-store.ts';
import { isAfter, placeOf } from './transaction-place.ts';
import type { Movement, TransactionQuery } from './transaction-service.ts';

type DerivedDeps = {
  readonly store: Pick<TransactionStore, 'listSnapshotTimes'>;
  readonly ledger: Pick<LedgerStore, 'sumBetween'>;
  readonly assets: Pick<AssetStore, 'getMany'>;
};

type Derived = Omit<Movement, 'chain'>;

/** Snapshots that are looked through at first, and at most at a time: where much is derived a page is soon full. */
const FIRST_LOOK = 100;
const LONGEST_LOOK = 5_000;
/** Before all snapshots. */
const BEGINNING = new Date(0);

/** What moved from one snapshot to the next and no entry explains, and what was there at first: newest first, enough of it for a page. */
export async function readDerived(deps: DerivedDeps, tenantId: string, query: TransactionQuery): Promise<readonly Movement[]> {
  if (query.origins !== null || !(isAsked(query, 'unexplained') || isAsked(query, 'opening'))) return [];
  const found: Derived[] = [];
  let until = query.after?.at ?? query.to;
  for (let looked = FIRST_LOOK; found.length <= query.limit; looked = Math.min(looked * 4, LONGEST_LOOK)) {
    const times = await deps.store.listSnapshotTimes(tenantId, { until, limit: looked + 1 });
    found.push(...(await deriveBetween(deps, tenantId, { query, times: times.slice(0, looked), before: times[looked] })));
    until = times[looked] ?? BEGINNING;
    if (times[looked] === undefined || (query.from !== null && until < query.from)) break;
  }
  const assets = new Map((await deps.assets.getMany(found.map(({ assetId }) => assetId))).map((asset) => [asset.id, asset]));
  return found.flatMap((derived) => {
    const asset = assets.get(derived.assetId);
    return asset === undefined ? [] : [{ ...derived, chain: asset.chain }];
  });
}

function isAsked({ types }: TransactionQuery, type: 'unexplained' | 'opening'): boolean {
  return types === null || types.includes(type);
}

type Stretch = {
  readonly query: LedgerFilter & TransactionQuery;
  /** Newest first. */
  readonly times: readonly Date[];
  /** The snapshot before them; undefined: there is none. */
  readonly before: Date | undefined;
};

async function deriveBetween(
  deps: DerivedDeps,
  tenantId: string,
  { query, times, before }: Stretch,
): Promise<readonly Derived[]> {
  const intervals: readonly Interval[] = times.map((to, index) => ({ from: times[index + 1] ?? before ?? BEGINNING, to }));
  const { walletIds, chains, assetIds } = query;
  const sums = await deps.ledger.sumBetween(tenantId, { walletIds, chains, assetIds, intervals });
  return sums.flatMap(({ place, walletId, assetId, type, amountRaw }) => {
    const at = times[place];
    if (at === undefined || !(type === 'unexplained' || type === 'opening') || !isAsked(query, type)) return [];
    const derived = { ...NOTHING_KNOWN, walletId, assetId, type, amountRaw, occurredAt: at };
    return isWithin(query, derived) ? [derived] : [];
  });
}

/** No entry tells of it. */
const NOTHING_KNOWN = {
  id: null,
  counterparty: null,
  txHash: null,
  blockNumber: null,
  origin: null,
  price: null,
  note: null,
} as const;

function isWithin({ from, to, after }: TransactionQuery, derived: Derived): boolean {
  const at = derived.occurredAt;
  return (from === null || at >= from) && (to === null || at < to) && (after === null || isAfter(placeOf(derived), after));
}
