import type { Asset } from '../../domain/asset.ts';
import { Decimal } from '../../domain/decimal.ts';
import type {
  Allocation,
  AssetPnl,
  BenchmarkResult,
  DayFigure,
  Figure,
  Flows,
  Performance,
  Pnl,
  Returns,
  Risk,
  Share,
} from '../../services/performance/performance.ts';
import type { PerformanceWire } from '../schemas/performance.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentDecimal, presentMoment } from './figures.ts';
import { presentMissing } from './snapshot.ts';

/** Sources that one answer names: a long outage of many wallets must not make megabytes. */
const MAX_MISSING = 1000;

/** Money exactly, rates as plain digits of the nearest number. */
export function presentPerformance(found: Performance, chains: ChainsBySlug): PerformanceWire {
  return {
    currency: found.currency,
    period: found.period,
    tz: found.timeZone,
    from: presentMoment(found.from),
    starts_at: presentMoment(found.startsAt),
    ends_at: presentMoment(found.endsAt),
    days: digits(found.days),
    complete: found.incompleteReasons.length === 0,
    incomplete_reasons: [...found.incompleteReasons],
    missing: found.missing.slice(0, MAX_MISSING).map(presentMissing),
    snapshots: { full: found.snapshots.full, partial: found.snapshots.partial, days_without: found.snapshots.daysWithout },
    unpriced: found.unpriced.map((asset) => presentAsset(asset, chains)),
    start_value: presentDecimal(found.startValue),
    end_value: presentDecimal(found.endValue),
    gain: presentDecimal(found.gain),
    returns: presentReturns(found.returns),
    risk: presentRisk(found.risk),
    flows: presentFlows(found.flows),
    allocation: presentAllocation(found.allocation, chains),
    pnl: presentPnl(found.pnl, chains),
    benchmark: found.benchmark && presentBenchmark(found.benchmark),
  };
}

function digits(value: number): string {
  return new Decimal(value).toFixed();
}

type FigureWire = PerformanceWire['returns']['roi'];

function presentRate({ value, reason }: Figure): FigureWire {
  return { value: value === null ? null : digits(value), reason };
}

function presentMoney({ value, reason }: Figure<Decimal>): FigureWire {
  return { value: presentDecimal(value), reason };
}

function presentAsset(asset: Asset, chains: ChainsBySlug): PerformanceWire['unpriced'][number] {
  return { ...presentAssetIdentity(asset, chains), asset_uuid: asset.id };
}

function presentReturns(returns: Returns): PerformanceWire['returns'] {
  return {
    time_weighted: presentRate(returns.timeWeighted),
    time_weighted_annual: presentRate(returns.timeWeightedAnnual),
    undefined_stretches: returns.undefinedStretches,
    money_weighted: presentRate(returns.moneyWeighted),
    money_weighted_annual: presentRate(returns.moneyWeightedAnnual),
    money_weighted_ambiguous: returns.isMoneyWeightedAmbiguous,
    modified_dietz: presentRate(returns.modifiedDietz),
    roi: presentRate(returns.simple),
  };
}

function presentRisk(risk: Risk): PerformanceWire['risk'] {
  const { value: fall, reason } = risk.maxDrawdown;
  return {
    risk_free: digits(risk.riskFreePerYear),
    days: risk.days,
    volatility: presentRate(risk.volatility),
    sharpe: presentRate(risk.sharpe),
    sortino: presentRate(risk.sortino),
    max_drawdown: {
      value: fall && digits(fall.depth),
      peak_at: presentMoment(fall?.peakAt ?? null),
      trough_at: presentMoment(fall?.troughAt ?? null),
      recovered_at: presentMoment(fall?.recoveredAt ?? null),
      reason,
    },
    calmar: presentRate(risk.calmar),
    best_day: presentDay(risk.bestDay),
    worst_day: presentDay(risk.worstDay),
  };
}

function presentDay({ value, reason }: Figure<DayFigure>): PerformanceWire['risk']['best_day'] {
  if (value === null) return { value: null, day: null, reason };
  return { value: digits(value.rate), day: value.day.toISOString().slice(0, 10), reason };
}

function presentFlows(flows: Flows): PerformanceWire['flows'] {
  return {
    in: flows.in.toFixed(),
    out: flows.out.toFixed(),
    net: flows.in.minus(flows.out).toFixed(),
    count: flows.count,
    deposits: flows.deposits.toFixed(),
    withdrawals: flows.withdrawals.toFixed(),
    unexplained: flows.unexplained.toFixed(),
    opening: flows.opening.toFixed(),
    in_transit: flows.inTransit.toFixed(),
    trades: flows.trades.toFixed(),
    revalued: flows.revalued.toFixed(),
    fees: flows.fees.toFixed(),
    income: flows.income.toFixed(),
    unpriced_count: flows.unpricedCount,
  };
}

function presentAllocation(allocation: Allocation, chains: ChainsBySlug): PerformanceWire['allocation'] {
  const shares = ({ value, share }: Share<unknown>): { value: string; share: string | null } => ({
    value: value.toFixed(),
    share: presentDecimal(share),
  });
  const spread = allocation.concentration;
  return {
    by_asset: allocation.byAsset.map((part) => ({ ...presentAsset(part.key, chains), ...shares(part) })),
    by_chain: allocation.byChain.map((part) => ({ chain: part.key, ...shares(part) })),
    by_wallet: allocation.byWallet.map((part) => ({ wallet_id: part.key, ...shares(part) })),
    concentration: spread && {
      index: spread.index.toFixed(),
      effective_assets: spread.effectiveParts.toFixed(),
      largest: spread.largest.toFixed(),
    },
  };
}

function presentPnl(pnl: Pnl, chains: ChainsBySlug): PerformanceWire['pnl'] {
  return {
    cost_basis: pnl.method,
    realised: money(pnl.realised),
    unrealised: money(pnl.unrealised),
    fees: money(pnl.fees),
    income: money(pnl.income),
    gain: money(pnl.gain),
    gain_without_currency: money(pnl.gainWithoutCurrency),
    currency_effect: money(pnl.currencyEffect),
    assets: pnl.assets.map((asset) => presentAssetPnl(asset, chains)),
  };
}

function presentAssetPnl(pnl: AssetPnl, chains: ChainsBySlug): PerformanceWire['pnl']['assets'][number] {
  const sum = ({ value, reason }: Figure<Decimal>): FigureWire => ({ value: value && money(value), reason });
  return {
    ...presentAsset(pnl.asset, chains),
    quantity: pnl.quantity.toFixed(),
    cost: sum(pnl.cost),
    value: presentMoney(pnl.value),
    unrealised: sum(pnl.unrealised),
    realised: money(pnl.realised),
    fees: money(pnl.fees),
    income: money(pnl.income),
    gain: sum(pnl.gain),
    gain_without_currency: sum(pnl.gainWithoutCurrency),
    currency_effect: sum(pnl.currencyEffect),
    uncosted_quantity: pnl.uncostedQuantity.toFixed(),
    untold_quantity: pnl.untoldQuantity.toFixed(),
  };
}

/** A part of a lot's cost is a quotient, so that a gain has no end of digits. */
function money(value: Decimal): string {
  return value.dp(MONEY_DIGITS).toFixed();
}

const MONEY_DIGITS = 30;

function presentBenchmark(result: BenchmarkResult): PerformanceWire['benchmark'] {
  return {
    basket: result.basket.map(({ name, weight }) => ({ name, share: weight.toFixed() })),
    rebalance: result.rebalancing,
    starts_at: presentMoment(result.startsAt),
    end_value: presentMoney(result.endValue),
    value_difference: presentMoney(result.valueDifference),
    time_weighted: presentRate(result.timeWeighted),
    rate_difference: presentRate(result.rateDifference),
    exhausted_at: presentMoment(result.exhaustedAt),
    unpriced_parts: [...result.unpricedParts],
  };
}
