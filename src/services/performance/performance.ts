import type { Asset } from '../../domain/asset.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { RebalancingRule } from '../../domain/performance/benchmark.ts';
import type { Concentration } from '../../domain/performance/concentration.ts';
import type { CostBasisMethod } from '../../domain/performance/cost-basis.ts';
import type { PerformancePeriod } from '../../domain/performance/period.ts';

/** Why a figure is not there. */
export type FigureReason =
  | 'no_snapshot'
  | 'one_snapshot'
  | 'nothing_invested'
  | 'no_rate_fits'
  | 'too_few_days'
  | 'less_than_a_year'
  | 'no_spread'
  | 'nothing_fell'
  | 'basket_unpriced'
  | 'unpriced'
  | 'cost_unknown';

/** A figure, or why there is none. */
export type Figure<T = number> =
  | { readonly value: T; readonly reason: null }
  | { readonly value: null; readonly reason: FigureReason };

export type PerformanceQuery = {
  readonly period: PerformancePeriod;
  /** Takes the place of the period's own start. */
  readonly from: Date | null;
  /** Null: the last snapshot. */
  readonly to: Date | null;
  readonly timeZone: string;
  /** Upper-case code. */
  readonly currency: string;
  readonly chains: readonly string[] | null;
  /** `btc:50,eth:50`; null: none. */
  readonly benchmark: string | null;
  readonly rebalancing: RebalancingRule;
  readonly costBasis: CostBasisMethod;
  /** A fraction a year; null: the configured one. */
  readonly riskFreePerYear: number | null;
};

export type Returns = {
  /** Rates as fractions, over the period. */
  readonly timeWeighted: Figure;
  readonly timeWeightedAnnual: Figure;
  /** Stretches in which nothing above zero was there to earn on; they count as zero. */
  readonly undefinedStretches: number;
  readonly moneyWeighted: Figure;
  readonly moneyWeightedAnnual: Figure;
  /** Whether other rates fit as well. */
  readonly isMoneyWeightedAmbiguous: boolean;
  readonly modifiedDietz: Figure;
  readonly simple: Figure;
};

export type DayFigure = { readonly day: Date; readonly rate: number };

export type Drawdown = {
  readonly depth: number;
  readonly peakAt: Date | null;
  readonly troughAt: Date | null;
  readonly recoveredAt: Date | null;
};

export type Risk = {
  readonly riskFreePerYear: number;
  /** Days whose return is known. */
  readonly days: number;
  readonly volatility: Figure;
  readonly sharpe: Figure;
  readonly sortino: Figure;
  readonly maxDrawdown: Figure<Drawdown>;
  readonly calmar: Figure;
  readonly bestDay: Figure<DayFigure>;
  readonly worstDay: Figure<DayFigure>;
};

/** Sums in the currency, each valued at the snapshot that first shows it. */
export type Flows = {
  readonly in: Decimal;
  readonly out: Decimal;
  readonly count: number;
  readonly deposits: Decimal;
  readonly withdrawals: Decimal;
  readonly unexplained: Decimal;
  readonly opening: Decimal;
  /** What was on its way between wallets when snapshots were taken. */
  readonly inTransit: Decimal;
  /** What was exchanged for something that has no price, counts as spam or is not shown yet; and what was got for it. */
  readonly trades: Decimal;
  readonly revalued: Decimal;
  readonly fees: Decimal;
  readonly income: Decimal;
  /** Movements that have no price, and so are part of no sum. */
  readonly unpricedCount: number;
};

export type Share<Key> = { readonly key: Key; readonly value: Decimal; readonly share: Decimal | null };

export type Allocation = {
  readonly byAsset: readonly Share<Asset>[];
  readonly byChain: readonly Share<string>[];
  readonly byWallet: readonly Share<string>[];
  readonly concentration: Concentration | null;
};

export type AssetPnl = {
  readonly asset: Asset;
  /** In whole tokens, as all quantities here. */
  readonly quantity: Decimal;
  /** In the currency, as all money here. What the units have cost whose cost is known. */
  readonly cost: Figure<Decimal>;
  readonly value: Figure<Decimal>;
  readonly unrealised: Figure<Decimal>;
  /** In the period, as fees and income. */
  readonly realised: Decimal;
  readonly fees: Decimal;
  readonly income: Decimal;
  /** Unrealised, realised and income together; then as if the currency had always cost what it did at the end, and what its moves have made of it. */
  readonly gain: Figure<Decimal>;
  readonly gainWithoutCurrency: Figure<Decimal>;
  readonly currencyEffect: Figure<Decimal>;
  /** Units held whose cost is not known; units that left whose gain is not. */
  readonly uncostedQuantity: Decimal;
  readonly untoldQuantity: Decimal;
};

export type Pnl = {
  readonly method: CostBasisMethod;
  readonly assets: readonly AssetPnl[];
  /** Sums of what is known. */
  readonly realised: Decimal;
  readonly unrealised: Decimal;
  readonly fees: Decimal;
  readonly income: Decimal;
  readonly gain: Decimal;
  readonly gainWithoutCurrency: Decimal;
  readonly currencyEffect: Decimal;
};

export type BenchmarkResult = {
  readonly basket: readonly { readonly name: string; readonly weight: Decimal }[];
  readonly rebalancing: RebalancingRule;
  /** Since when all its parts have prices; both sides are compared from there. */
  readonly startsAt: Date | null;
  readonly endValue: Figure<Decimal>;
  /** What the portfolio has more, in the currency. */
  readonly valueDifference: Figure<Decimal>;
  readonly timeWeighted: Figure;
  /** The portfolio's rate less the benchmark's. */
  readonly rateDifference: Figure;
  readonly exhaustedAt: Date | null;
  readonly unpricedParts: readonly string[];
};

export type IncompleteReason =
  | 'no_snapshot'
  | 'starts_later'
  | 'snapshot_partial'
  | 'days_without_snapshot'
  | 'unpriced'
  | 'fx_missing'
  | 'nothing_to_earn_on';

export type Performance = {
  readonly currency: string;
  /** Null when `from` was given. */
  readonly period: PerformancePeriod | null;
  readonly timeZone: string;
  /** Where the period begins; the snapshots that it is told by. */
  readonly from: Date | null;
  readonly startsAt: Date | null;
  readonly endsAt: Date | null;
  /** Between the two snapshots. */
  readonly days: number;
  readonly incompleteReasons: readonly IncompleteReason[];
  readonly missing: readonly MissingSource[];
  readonly snapshots: { readonly full: number; readonly partial: number; readonly daysWithout: number };
  readonly unpriced: readonly Asset[];
  readonly startValue: Decimal | null;
  readonly endValue: Decimal | null;
  /** The difference of the two less all flows. */
  readonly gain: Decimal | null;
  readonly returns: Returns;
  readonly risk: Risk;
  readonly flows: Flows;
  readonly allocation: Allocation;
  readonly pnl: Pnl;
  readonly benchmark: BenchmarkResult | null;
};
