import type { AssetRule, HistoryReads, HistoryStore, Resolution, SnapshotAt, ValueAt } from '../../db/history/history-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { Asset } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { AppError } from '../../domain/errors.ts';
import type { ChartStep } from '../../domain/history/chart-intervals.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { type FindAssetDeps, findAsset } from '../find-asset.ts';
import { requireChain } from '../require-known.ts';
import { type AssetRulesDeps, type RuledAsset, readAssetRules } from './asset-rules.ts';
import { BEFORE, type HistoryPoint, type SeriesParts, toPoints } from './history-points.ts';
import { type ChartPlan, chooseResolution, type HistoryQuery, isWanted, planChart, refuse } from './history-query.ts';
import { requirePastWallets } from './require-past-wallets.ts';

/** One asset or one wallet; the other is null. */
export type HistorySeries = {
  readonly asset: Asset | null;
  readonly walletId: string | null;
  readonly points: readonly HistoryPoint[];
};

export type History = {
  readonly step: ChartStep;
  readonly timeZone: string;
  readonly currency: string;
  readonly generatedAt: Date;
  /** All that the query covers, together. */
  readonly points: readonly HistoryPoint[];
  /** Worth the most at the end first. */
  readonly series: readonly HistorySeries[];
  /** Assets of this time that are in no figure, since they count as spam or are held back today. */
  readonly excludedCount: number;
};

export type HistoryService = {
  /**
   * What was held and worth at the end of each interval, by what is known and said of the assets today. Throws invalid_request, unknown_chain, wallet_not_found,
   * asset_not_found.
   */
  getHistory(tenantId: string, query: HistoryQuery): Promise<History>;
  /** How each asset's past is valued; spam and what is held back are left out. */
  getRules(tenantId: string, assetIds: readonly string[]): Promise<readonly AssetRule[]>;
};

export type HistoryServiceDeps = AssetRulesDeps &
  FindAssetDeps & {
    readonly history: HistoryStore;
    readonly assets: AssetRulesDeps['assets'] & FindAssetDeps['assets'];
    readonly wallets: Pick<WalletStore, 'listAll'>;
    readonly chains: readonly Chain[];
    /** How long all snapshots are kept, and the last one of each hour. */
    readonly kept: { readonly rawDays: number; readonly hourlyDays: number };
    readonly now: () => Date;
  };

/** Most points of all series together. */
const MAX_SERIES_POINTS = 20_000;
/** Most values that these are made of: each series may have one more, from before the first point. */
const MAX_SERIES_VALUES = 2 * MAX_SERIES_POINTS;

export function createHistoryService(deps: HistoryServiceDeps): HistoryService {
  return {
    getHistory: (tenantId, query) => getHistory(deps, tenantId, query),
    async getRules(tenantId, assetIds) {
      return toRules(await readAssetRules(deps, tenantId, assetIds));
    },
  };
}

async function getHistory(deps: HistoryServiceDeps, tenantId: string, query: HistoryQuery): Promise<History> {
  const now = deps.now();
  const plan = planChart(query, now);
  const { wallets, assets } = await requireScope(deps, tenantId, query);
  const ruled = await readAssetRules(deps, tenantId, await deps.history.listAssetIds(tenantId));
  const covered = new Map([...ruled].filter(([id, { asset }]) => isWanted(query.chains, asset.chain) && isWanted(assets, id)));
  const { moments, apart, together, rates } = await deps.history.readTogether(tenantId, (history) =>
    readFigures({ history, kept: deps.kept }, tenantId, { plan, query, now, rules: toRules(covered) }),
  );
  const parts = { intervals: plan.intervals, snapshots: [...moments.values()].flat(), rates, fill: query.fill, now };
  const chainsOfAssets = assets === null ? null : [...covered.values()].map(({ asset }) => asset.chain);
  const isInScope: SeriesParts['covers'] = ({ walletId, chain }) =>
    isWanted(query.walletIds, walletId) && isWanted(query.chains, chain) && isWanted(chainsOfAssets, chain);
  const total = { ...parts, covers: isInScope, isFollowed: isFollowedBy(wallets, query.walletIds) };
  return {
    step: plan.step,
    timeZone: query.timeZone,
    currency: query.currency,
    generatedAt: now,
    points: toPoints({ ...total, values: together }),
    series: toSeries(apart, { query, total, wallets, covered }),
    excludedCount: [...covered.values()].filter(({ isExcluded }) => isExcluded).length,
  };
}

type FiguresQuery = {
  readonly plan: ChartPlan;
  readonly query: HistoryQuery;
  readonly now: Date;
  readonly rules: readonly AssetRule[];
};

type Figures = {
  readonly moments: Moments;
  /** By series. */
  readonly apart: readonly ValueAt[];
  readonly together: readonly ValueAt[];
  readonly rates: ReadonlyMap<number, Decimal>;
};

type Readers = { readonly history: HistoryReads; readonly kept: HistoryServiceDeps['kept'] };

/** One after the other, over one connection. Throws invalid_request when there would be too many points, before all of them are read. */
async function readFigures(readers: Readers, tenantId: string, { rules, ...asked }: FiguresQuery): Promise<Figures> {
  const { query } = asked;
  const moments = await findMoments(readers, tenantId, asked);
  const reading = { walletIds: query.walletIds, moments, rules };
  const apart =
    query.series === 'total'
      ? []
      : await readValues(readers, tenantId, { ...reading, groupBy: query.series, limit: MAX_SERIES_VALUES + 1 });
  if (apart.length > MAX_SERIES_VALUES) throw refuseSeries();
  const together =
    query.series === 'asset' ? addUp(apart) : await readValues(readers, tenantId, { ...reading, groupBy: 'total' });
  return { moments, apart, together, rates: await readRates(readers, query.currency, [...moments.values()].flat()) };
}

type Apart = {
  readonly query: HistoryQuery;
  readonly total: Omit<SeriesParts, 'values'>;
  readonly wallets: readonly Wallet[];
  readonly covered: ReadonlyMap<string, RuledAsset>;
};

/** Throws invalid_request when there would be too many points. */
function toSeries(values: readonly ValueAt[], { query, total, wallets, covered }: Apart): readonly HistorySeries[] {
  const groups = Map.groupBy(values, ({ key }) => key ?? '');
  if (groups.size * total.intervals.length > MAX_SERIES_POINTS) {
    throw refuseSeries();
  }
  const series = [...groups].map(([key, group]): HistorySeries => {
    if (query.series === 'wallet') {
      const isOfWallet: SeriesParts['covers'] = (source) => total.covers(source) && isWanted([key], source.walletId);
      const points = toPoints({ ...total, values: group, covers: isOfWallet, isFollowed: isFollowedBy(wallets, [key]) });
      return { asset: null, walletId: key, points };
    }
    const asset = covered.get(key)?.asset ?? null;
    const isOfAsset: SeriesParts['covers'] = (source) =>
      total.covers(source) && (source.chain === null || source.chain === asset?.chain);
    return { asset, walletId: null, points: toPoints({ ...total, values: group, covers: isOfAsset }) };
  });
  return series.toSorted(byLastValue);
}

function refuseSeries(): AppError {
  return refuse('series', `This would be more than ${MAX_SERIES_POINTS} points: name what to show, or ask for fewer points.`);
}

type Scope = {
  /** Those that are followed today, of all that were asked for. */
  readonly wallets: readonly Wallet[];
  /** UUIDs; null: all. */
  readonly assets: readonly string[] | null;
};

async function requireScope(deps: HistoryServiceDeps, tenantId: string, query: HistoryQuery): Promise<Scope> {
  for (const slug of query.chains ?? []) requireChain(deps.chains, slug);
  const [wallets, assets] = await Promise.all([
    query.walletIds === null && query.series !== 'wallet' ? [] : deps.wallets.listAll(tenantId, { walletIds: query.walletIds }),
    query.assetIds === null ? null : Promise.all(query.assetIds.map((id) => findAsset(deps, id))),
  ]);
  const followed = new Set(wallets.map(({ id }) => id));
  await requirePastWallets(deps.history, tenantId, { walletIds: query.walletIds, followed });
  return { wallets, assets: assets?.map(({ id }) => id) ?? null };
}

type Moments = ReadonlyMap<Resolution, readonly SnapshotAt[]>;

/** The snapshot that each interval tells, by where its values are read. */
async function findMoments(
  { history, kept }: Readers,
  tenantId: string,
  { plan, query, now }: Omit<FiguresQuery, 'rules'>,
): Promise<Moments> {
  const wanted = plan.intervals.map(({ start, end }, place) => ({
    place,
    // An interval's end is not part of it, a store's is.
    interval: { from: new Date(start.getTime() - 1), to: new Date(end.getTime() - 1) },
    resolution: chooseResolution({ start, end }, { now, kept }),
  }));
  const moments = new Map<Resolution, readonly SnapshotAt[]>();
  for (const [resolution, group] of Map.groupBy(wanted, (one) => one.resolution)) {
    const intervals = group.map(({ interval }) => interval);
    const snapshots = await history.findSnapshots(tenantId, intervals, resolution);
    moments.set(
      resolution,
      snapshots.flatMap((one) => move(one, group[one.place]?.place)),
    );
  }
  const isEmptyAtFirst = ![...moments.values()].some((snapshots) => snapshots.some(({ place }) => place === 0));
  const first = plan.intervals[0];
  if (query.fill === 'none' || !isEmptyAtFirst || first === undefined) return moments;
  const earlier = { from: new Date(0), to: new Date(first.start.getTime() - 1) };
  const before = await history.findSnapshots(tenantId, [earlier], 'raw');
  return moments.set('raw', [...before.flatMap((one) => move(one, BEFORE)), ...(moments.get('raw') ?? [])]);
}

function move({ snapshot }: SnapshotAt, place: number | undefined): readonly SnapshotAt[] {
  return place === undefined ? [] : [{ place, snapshot }];
}

function toRules(ruled: ReadonlyMap<string, RuledAsset>): readonly AssetRule[] {
  return [...ruled].flatMap(([assetId, { unit, manualPrice, isExcluded }]) =>
    isExcluded ? [] : [{ assetId, unit: unit?.toFixed() ?? null, manualPrice: manualPrice?.value.toFixed() ?? null }],
  );
}

type Reading = {
  readonly walletIds: readonly string[] | null;
  readonly moments: Moments;
  readonly rules: readonly AssetRule[];
  readonly groupBy: 'total' | 'asset' | 'wallet';
  readonly limit?: number;
};

/** Over all wallets from the buckets, wherever these tell it: their cost follows the points. */
async function readValues(
  { history }: Readers,
  tenantId: string,
  { walletIds, moments, rules, groupBy, limit }: Reading,
): Promise<readonly ValueAt[]> {
  const values: ValueAt[] = [];
  for (const [resolution, snapshots] of moments) {
    if (snapshots.length === 0) continue;
    const found =
      walletIds !== null || groupBy === 'wallet' || resolution === 'raw'
        ? await history.readPoints(tenantId, { snapshots, rules, walletIds, groupBy, limit })
        : await history.readBuckets(tenantId, { snapshots, rules, bucket: resolution, byAsset: groupBy === 'asset', limit });
    for (const value of found) values.push(value);
  }
  return values;
}

/** The sums of all groups at each place. */
function addUp(apart: readonly ValueAt[]): readonly ValueAt[] {
  return [...Map.groupBy(apart, ({ place }) => place)].map(([place, values]) => ({
    place,
    key: null,
    usdValue: values.reduce((sum, { usdValue }) => sum.plus(usdValue), new Decimal(0)),
    unpricedCount: values.reduce((sum, { unpricedCount }) => sum + unpricedCount, 0),
  }));
}

/** Units of the currency per dollar by the place of the snapshot; every place for the dollar itself. */
async function readRates(
  { history }: Readers,
  currency: string,
  snapshots: readonly SnapshotAt[],
): Promise<ReadonlyMap<number, Decimal>> {
  if (currency === 'USD') return new Map(snapshots.map(({ place }) => [place, new Decimal(1)]));
  const known = await history.readRates(
    currency,
    snapshots.map(({ snapshot }) => snapshot.at),
  );
  return new Map(
    snapshots.flatMap(({ place }, index) => [known.get(index)].flatMap((rate) => (rate ? [[place, rate] as const] : []))),
  );
}

/** Null: everything there is, of which a snapshot itself tells that it was followed. */
function isFollowedBy(wallets: readonly Wallet[], ids: readonly string[] | null): SeriesParts['isFollowed'] {
  if (ids === null) return () => true;
  const since = wallets.filter(({ id }) => ids.includes(id)).map(({ createdAt }) => createdAt);
  return (at) => since.some((createdAt) => createdAt <= at);
}

function byLastValue(a: HistorySeries, b: HistorySeries): number {
  const last = ({ points }: HistorySeries): Decimal =>
    points.findLast(({ usdValue }) => usdValue !== null)?.usdValue ?? new Decimal(0);
  return last(b).comparedTo(last(a)) ?? 0;
}
