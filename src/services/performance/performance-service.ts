import type { HistoryStore } from '../../db/history/history-store.ts';
import type { Moment, PerformanceStore } from '../../db/history/performance-store.ts';
import type { LedgerStore } from '../../db/ledger/ledger-store.ts';
import type { Asset } from '../../domain/asset.ts';
import { isTimeZone } from '../../domain/history/chart-intervals.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import { dayOf } from '../../domain/performance/daily-returns.ts';
import { periodStart } from '../../domain/performance/period.ts';
import type { FindAssetDeps } from '../find-asset.ts';
import { type AssetRulesDeps, type RuledAsset, readAssetRules } from '../history/asset-rules.ts';
import { refuse } from '../history/history-query.ts';
import { requireChain } from '../require-known.ts';
import { readAllocation } from './allocation.ts';
import { compareWithBasket, readBasket } from './benchmark-comparison.ts';
import type { IncompleteReason, Performance, PerformanceQuery, Pnl } from './performance.ts';
import { daysOf, gainOf, timeWeightedFigure, toCashView, toReturns, toRisk } from './performance-figures.ts';
import { toFlows } from './performance-flows.ts';
import { readSeries, type Series } from './performance-series.ts';
import { priceMovements } from './priced-movements.ts';
import { toPnl } from './profit-and-loss.ts';

export type PerformanceService = {
  /**
   * How the portfolio did between two snapshots, by what is known and said of the assets today. Every flow is valued at the last snapshot of the hour that first shows it (of the day, where hours are not kept any more); deposits, withdrawals, what a wallet held when it was added and what
   * the ledger does not explain are flows, while exchanges of which both sides have a price, fees and income are part of the return. Throws invalid_request, unknown_chain, asset_not_found.
   */
  getPerformance(tenantId: string, query: PerformanceQuery): Promise<Performance>;
};

export type PerformanceServiceDeps = AssetRulesDeps &
  FindAssetDeps & {
    readonly assets: AssetRulesDeps['assets'] & FindAssetDeps['assets'];
    readonly history: Pick<HistoryStore, 'listAssetIds' | 'readRates' | 'readPoints'>;
    readonly performance: PerformanceStore;
    readonly ledger: Pick<LedgerStore, 'sumBetween'>;
    /** A fraction a year. */
    readonly riskFreePerYear: number;
  };

export function createPerformanceService(deps: PerformanceServiceDeps): PerformanceService {
  return {
    async getPerformance(tenantId, query) {
      const { currency, timeZone, period } = query;
      requireSense(deps, query);
      const basket = query.benchmark === null ? null : await readBasket(deps, query.benchmark);
      const past = await readPast(deps, tenantId, query);
      const { rules, series, all, from } = past;
      const { points } = series;
      const [start, end] = [points[0], points.at(-1)];
      const view = toCashView(series);
      const twr = timeWeightedFigure(view);
      const returns = toReturns(view, twr);
      const riskFreePerYear = query.riskFreePerYear ?? deps.riskFreePerYear;
      const [allocation, pnl, benchmark] = await Promise.all([
        readAllocation(deps.history, tenantId, { point: end, rules }),
        readPnl(deps, tenantId, { query, all, series, rules }),
        basket && compareWithBasket(deps, { basket, rebalancing: query.rebalancing, points, view }),
      ]);
      const gaps = findGaps(past, returns.undefinedStretches);
      return {
        currency,
        period: query.from === null ? period : null,
        timeZone,
        from: from ?? start?.moment.at ?? null,
        startsAt: start?.moment.at ?? null,
        endsAt: end?.moment.at ?? null,
        days: daysOf(view),
        ...gaps,
        startValue: start?.value ?? null,
        endValue: end?.value ?? null,
        // One snapshot tells no difference.
        gain: view === undefined || series.points.length < 2 ? null : gainOf(view),
        returns,
        risk: toRisk(twr, { returns, riskFreePerYear }),
        flows: toFlows(series),
        allocation,
        pnl,
        benchmark,
      };
    },
  };
}

function requireSense({ chains }: PerformanceServiceDeps, query: PerformanceQuery): void {
  for (const slug of query.chains ?? []) requireChain(chains, slug);
  if (!isTimeZone(query.timeZone)) throw refuse('tz', 'This is no time zone of the IANA database.');
  if (query.from !== null && query.to !== null && query.from >= query.to)
    throw refuse('from', 'The time must begin before it ends.');
}

type Past = {
  readonly rules: ReadonlyMap<string, RuledAsset>;
  /** Since the first snapshot, of the time before the period only where amounts moved. */
  readonly all: Series;
  /** Of the period; its first point is the start. */
  readonly series: Series;
  readonly from: Date | null;
  /** Of the period, also where there is no currency rate. */
  readonly moments: readonly Moment[];
};

/** More hours than these are told by their days. */
const MAX_MOMENTS = 3000;

async function readPast(deps: PerformanceServiceDeps, tenantId: string, query: PerformanceQuery): Promise<Past> {
  const { currency, chains, timeZone, period } = query;
  const end = await deps.performance.findEnd(tenantId, query.to);
  const found = await readAssetRules(deps, tenantId, await deps.history.listAssetIds(tenantId));
  const wanted = [...found].filter(([, { asset }]) => chains?.includes(asset.chain) ?? true);
  const rules = new Map(wanted.filter(([, { isExcluded }]) => !isExcluded));
  const excludedIds = wanted.flatMap(([id, { isExcluded }]) => (isExcluded ? [id] : []));
  const from = query.from ?? (end === undefined ? null : periodStart(period, query.to ?? end, timeZone));
  const assetIds = [...rules.keys()];
  const ledgerMoments = end === undefined ? [] : await deps.performance.listLedgerMoments(tenantId, { to: end, assetIds });
  const listed =
    end === undefined ? [] : await deps.performance.listMoments(tenantId, { from, to: end, assetIds, ledgerMoments });
  const place = Math.max(from === null ? 0 : listed.findLastIndex(({ at }) => at <= from), 0);
  const moments = thinOut(listed.slice(place));
  const before = thinOut(listed.slice(0, place).filter(({ hasMoved }) => hasMoved));
  const all = await readSeries(deps, tenantId, {
    ...{ moments: [...before, ...moments], ledgerMoments, rules, excludedIds, currency, chains },
  });
  const startAt = moments[0]?.at;
  const first = all.points.findIndex(({ moment }) => startAt !== undefined && moment.at >= startAt);
  const cut = first === -1 ? all.points.length : first;
  return { rules, all, series: { points: all.points.slice(cut), steps: all.steps.slice(cut) }, from, moments };
}

/** Without the hours between, where they are too many. */
function thinOut(moments: readonly Moment[]): readonly Moment[] {
  if (moments.length <= MAX_MOMENTS) return moments;
  return moments.filter(({ bucket }, place) => bucket === 'day' || place === 0 || place === moments.length - 1);
}

type PnlInput = Pick<Past, 'all' | 'series' | 'rules'> & { readonly query: PerformanceQuery };

async function readPnl(deps: PerformanceServiceDeps, tenantId: string, { query, all, series, rules }: PnlInput): Promise<Pnl> {
  const [start, end] = [series.points[0], series.points.at(-1)];
  const entries =
    end === undefined
      ? []
      : await deps.performance.listPricedEntries(tenantId, { to: end.moment.at, assetIds: [...rules.keys()] });
  const codes = [...new Set(entries.map(({ currency }) => currency))].filter((code) => code !== 'USD' && code !== query.currency);
  const moments = all.points.map(({ moment }) => moment.at);
  const rates = new Map(
    await Promise.all(codes.map(async (code) => [code, await deps.history.readRates(code, moments)] as const)),
  );
  const movements = priceMovements(all, { entries, rates, rules, currency: query.currency });
  return toPnl({ movements, start, end, method: query.costBasis, assetOf: (assetId) => rules.get(assetId)?.asset });
}

type Gaps = Pick<Performance, 'incompleteReasons' | 'missing' | 'snapshots' | 'unpriced'>;

function findGaps({ series, moments, rules, from }: Past, undefinedStretches: number): Gaps {
  const { points } = series;
  const [start, end] = [moments[0], moments.at(-1)];
  const partial = moments.filter(({ grade }) => grade === 'partial').length;
  const days = new Set(moments.map(({ at }) => dayOf(at)));
  const daysWithout = start === undefined || end === undefined ? 0 : dayOf(end.at) - dayOf(start.at) + 1 - days.size;
  const unpriced = findUnpriced(series, rules);
  const reasons: readonly (readonly [IncompleteReason, boolean])[] = [
    ['no_snapshot', start === undefined],
    ['starts_later', from !== null && start !== undefined && start.at > from],
    ['snapshot_partial', partial > 0],
    ['days_without_snapshot', daysWithout > 0],
    ['unpriced', unpriced.length > 0],
    ['fx_missing', points.length < moments.length],
    ['nothing_to_earn_on', undefinedStretches > 0],
  ];
  return {
    incompleteReasons: reasons.flatMap(([reason, holds]) => (holds ? [reason] : [])),
    missing: lastOfEach(moments.flatMap(({ missing }) => missing)),
    snapshots: { full: moments.length - partial, partial, daysWithout },
    unpriced,
  };
}

function findUnpriced({ points }: Series, rules: ReadonlyMap<string, RuledAsset>): readonly Asset[] {
  const held = points.flatMap(({ positions }) => [...positions].flatMap(([id, { price }]) => (price === null ? [id] : [])));
  return [...new Set(held)].flatMap((id) => rules.get(id)?.asset ?? []);
}

function lastOfEach(missing: readonly MissingSource[]): readonly MissingSource[] {
  return [...new Map(missing.map((source) => [`${source.walletId}/${source.chain}/${source.kind}`, source])).values()];
}
