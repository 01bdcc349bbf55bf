import type { AssetStore } from '../../db/asset-store.ts';
import type { AssetRule, HistoryStore, Resolution, SnapshotAt, ValueAt } from '../../db/history-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import { unitOf } from '../../domain/amount.ts';
import type { Chain } from '../../domain/chain.ts';
import { type ChartInterval, type ChartStep, chartIntervals, isTimeZone } from '../../domain/chart-intervals.ts';
import { Decimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import type { MissingSource } from '../../domain/snapshot.ts';
import { type AssetContextDeps, readAssetFacts, toAssetContexts } from '../asset-context.ts';
import type { PortfolioService } from '../portfolio-service.ts';
import { requireChain, requireWallets } from '../require-known.ts';

export type HistoryQuery = {
  readonly from: Date;
  readonly to: Date;
  readonly step: ChartStep;
  readonly timeZone: string;
  /** Upper-case code. */
  readonly currency: string;
  readonly walletIds: readonly string[] | null;
  readonly chains: readonly string[] | null;
  readonly assetIds: readonly string[] | null;
  readonly groupBy: 'total' | 'asset' | 'wallet';
  /** `previous`: an interval without a snapshot tells the one before it, and says so. */
  readonly fill: 'none' | 'previous';
};

export type HistoryPoint = ChartInterval & {
  /** Of the snapshot that is told; null where there is none. */
  readonly at: Date | null;
  readonly usdValue: Decimal | null;
  /** In the currency asked for. */
  readonly value: Decimal | null;
  readonly complete: boolean;
  readonly carriedForward: boolean;
  readonly unpricedCount: number;
  readonly missing: readonly MissingSource[];
};

/** `key`: the asset's or the wallet's id; null for everything together. */
export type HistorySeries = { readonly key: string | null; readonly points: readonly HistoryPoint[] };

export type HistoryService = {
  /** What was held and worth at the end of each interval, by what is known and said of the assets today. Throws invalid_request, unknown_chain, wallet_not_found. */
  getSeries(tenantId: string, query: HistoryQuery): Promise<readonly HistorySeries[]>;
  /** How each asset's past is valued; spam and what is held back are left out. */
  getRules(tenantId: string, assetIds: readonly string[]): Promise<readonly AssetRule[]>;
};

export type HistoryServiceDeps = AssetContextDeps & {
  readonly history: HistoryStore;
  readonly assets: Pick<AssetStore, 'getSettings' | 'getMany'>;
  readonly wallets: Pick<WalletStore, 'listAll'>;
  readonly portfolio: Pick<PortfolioService, 'findHeldBack'>;
  readonly chains: readonly Chain[];
  readonly now: () => Date;
};

const MAX_POINTS = 2000;
/** Hours are kept for a year, days for ever. */
const HOURS_KEPT_MS = 365 * 86_400_000;

export function createHistoryService(deps: HistoryServiceDeps): HistoryService {
  return {
    getSeries: (tenantId, query) => getSeries(deps, tenantId, query),
    async getRules(tenantId, assetIds) {
      return (await getRules(deps, tenantId, assetIds)).map(({ rule }) => rule);
    },
  };
}

async function getSeries(deps: HistoryServiceDeps, tenantId: string, query: HistoryQuery): Promise<readonly HistorySeries[]> {
  for (const slug of query.chains ?? []) requireChain(deps.chains, slug);
  if (query.walletIds !== null) {
    requireWallets(await deps.wallets.listAll(tenantId, { walletIds: query.walletIds }), query.walletIds);
  }
  const intervals = requireIntervals(query);
  const resolution = chooseResolution(query, deps.now());
  const snapshots = await deps.history.findSnapshots(tenantId, intervals.map(toStoreInterval), resolution);
  const covered = await getRules(deps, tenantId, await deps.history.listAssetIds(tenantId, query));
  const rules = covered
    .filter(({ chain }) => query.chains?.includes(chain) ?? true)
    .map(({ rule }) => rule)
    .filter(({ assetId }) => query.assetIds?.includes(assetId) ?? true);
  const [values, rates] = await Promise.all([
    readValues(deps, tenantId, { query, snapshots, rules, resolution }),
    readRates(deps, query.currency, snapshots),
  ]);
  const groups = query.groupBy === 'total' ? new Map([[null, values]]) : Map.groupBy(values, ({ key }) => key);
  return [...groups].map(([key, group]) => ({ key, points: toPoints(query, { intervals, snapshots, values: group, rates }) }));
}

/** An interval's end is not part of it, a store's is. */
function toStoreInterval({ start, end }: ChartInterval): { from: Date; to: Date } {
  return { from: new Date(start.getTime() - 1), to: new Date(end.getTime() - 1) };
}

function requireIntervals({ from, to, step, timeZone }: HistoryQuery): readonly ChartInterval[] {
  if (from >= to) throw refuse('/query/from', 'The time must begin before it ends.');
  if (!isTimeZone(timeZone)) throw refuse('/query/tz', 'This is no time zone of the IANA database.');
  const intervals = chartIntervals({ from, to }, { step, timeZone, limit: MAX_POINTS });
  if (intervals === undefined)
    throw refuse('/query/interval', `This would be more than ${MAX_POINTS} points: ask for less time or longer intervals.`);
  return intervals;
}

function refuse(pointer: string, message: string): AppError {
  return new AppError('invalid_request', message, { issues: [{ pointer, code: 'invalid_value', message }] });
}

/** The coarsest buckets that still tell the last snapshot of each interval: days of other zones do not end with those of UTC. */
function chooseResolution({ step, timeZone, from }: HistoryQuery, now: Date): Resolution {
  if (step === '5m') return 'raw';
  const areHoursKept = from.getTime() > now.getTime() - HOURS_KEPT_MS;
  return step === '1h' || (timeZone !== 'UTC' && areHoursKept) ? 'hour' : 'day';
}

async function getRules(
  deps: HistoryServiceDeps,
  tenantId: string,
  assetIds: readonly string[],
): Promise<readonly { readonly chain: string; readonly rule: AssetRule }[]> {
  const [assets, heldBack] = await Promise.all([deps.assets.getMany(assetIds), deps.portfolio.findHeldBack(tenantId)]);
  const contexts = toAssetContexts(assets, await readAssetFacts(deps, tenantId, assets), deps.now());
  return assets.flatMap((asset) => {
    const context = contexts.get(asset.id);
    if (context === undefined || context.spam.isSpam || heldBack.has(asset.id)) return [];
    const unit = asset.decimals === null ? null : unitOf(asset.decimals);
    return [{ chain: asset.chain, rule: { assetId: asset.id, unit, manualPrice: context.settings.manualPrice?.value ?? null } }];
  });
}

type Reading = {
  readonly query: HistoryQuery;
  readonly snapshots: readonly SnapshotAt[];
  readonly rules: readonly AssetRule[];
  readonly resolution: Resolution;
};

async function readValues(
  { history }: HistoryServiceDeps,
  tenantId: string,
  { query, snapshots, rules, resolution }: Reading,
): Promise<readonly ValueAt[]> {
  const { walletIds, groupBy } = query;
  if (walletIds === null && groupBy !== 'wallet' && resolution !== 'raw') {
    return history.readBuckets(tenantId, { snapshots, rules, bucket: resolution, byAsset: groupBy === 'asset' });
  }
  return history.readPoints(tenantId, { snapshots, rules, walletIds, groupBy });
}

/** Units of the currency per dollar by the place of the snapshot; every place for the dollar itself. */
async function readRates(
  { history }: HistoryServiceDeps,
  currency: string,
  snapshots: readonly SnapshotAt[],
): Promise<ReadonlyMap<number, Decimal>> {
  if (currency === 'USD') return new Map(snapshots.map(({ place }) => [place, new Decimal(1)]));
  const known = await history.readRates(
    currency,
    snapshots.map(({ snapshot }) => snapshot.at),
  );
  return new Map(
    [...known].flatMap(([index, rate]) => {
      const place = snapshots[index]?.place;
      return place === undefined ? [] : [[place, rate] as const];
    }),
  );
}

type Told = {
  readonly intervals: readonly ChartInterval[];
  readonly snapshots: readonly SnapshotAt[];
  readonly values: readonly ValueAt[];
  readonly rates: ReadonlyMap<number, Decimal>;
};

function toPoints(query: HistoryQuery, { intervals, snapshots, values, rates }: Told): readonly HistoryPoint[] {
  const snapshotAt = new Map(snapshots.map(({ place, snapshot }) => [place, snapshot]));
  const valueAt = new Map(values.map((value) => [value.place, value]));
  let last: HistoryPoint | undefined;
  return intervals.map((interval, place) => {
    const snapshot = snapshotAt.get(place);
    if (snapshot === undefined) {
      const isFilled = query.fill === 'previous' && last !== undefined;
      return isFilled && last !== undefined ? { ...last, ...interval, carriedForward: true } : { ...interval, ...NOTHING };
    }
    const found = valueAt.get(place);
    const usdValue = found?.usdValue ?? new Decimal(0);
    const rate = rates.get(place);
    const missing = snapshot.missing.filter((source) => covers(query, source));
    const unpricedCount = found?.unpricedCount ?? 0;
    last = {
      ...interval,
      at: snapshot.at,
      usdValue,
      value: rate === undefined ? null : usdValue.times(rate),
      complete: missing.length === 0 && unpricedCount === 0 && rate !== undefined,
      carriedForward: false,
      unpricedCount,
      missing,
    };
    return last;
  });
}

const NOTHING = {
  at: null,
  usdValue: null,
  value: null,
  complete: false,
  carriedForward: false,
  unpricedCount: 0,
  missing: [],
} as const;

function covers({ walletIds, chains }: HistoryQuery, source: MissingSource): boolean {
  return (walletIds?.includes(source.walletId) ?? true) && (chains?.includes(source.chain) ?? true);
}
