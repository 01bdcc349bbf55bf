import type { PercentPerformanceWire } from '../schemas/percent.ts';
import type { PerformanceWire } from '../schemas/performance.ts';
import { nameAsset, roundFraction, roundShare } from './percent-figures.ts';

/** Returns, risk and allocation without any sum of money. */
export function redactPerformance(full: PerformanceWire): PercentPerformanceWire {
  const { currency, period, tz, from, starts_at, ends_at, days, complete, incomplete_reasons, snapshots } = full;
  return {
    redacted: true,
    ...{ currency, period, tz, from, starts_at, ends_at, days, complete, incomplete_reasons, snapshots },
    returns: redactReturns(full.returns),
    risk: redactRisk(full.risk),
    allocation: redactAllocation(full.allocation),
    benchmark: full.benchmark && redactBenchmark(full.benchmark),
  };
}

/** Rounds a rate and leaves all else of a figure as it is. */
function roundValue<Figure extends { value: string | null }>(figure: Figure): Figure {
  return { ...figure, value: roundShare(figure.value) };
}

function redactReturns(returns: PerformanceWire['returns']): PercentPerformanceWire['returns'] {
  return {
    time_weighted: roundValue(returns.time_weighted),
    time_weighted_annual: roundValue(returns.time_weighted_annual),
    undefined_stretches: returns.undefined_stretches,
    money_weighted: roundValue(returns.money_weighted),
    money_weighted_annual: roundValue(returns.money_weighted_annual),
    money_weighted_ambiguous: returns.money_weighted_ambiguous,
    modified_dietz: roundValue(returns.modified_dietz),
    roi: roundValue(returns.roi),
  };
}

function redactRisk(risk: PerformanceWire['risk']): PercentPerformanceWire['risk'] {
  return {
    risk_free: risk.risk_free,
    days: risk.days,
    volatility: roundValue(risk.volatility),
    sharpe: roundValue(risk.sharpe),
    sortino: roundValue(risk.sortino),
    max_drawdown: roundValue(risk.max_drawdown),
    calmar: roundValue(risk.calmar),
    best_day: roundValue(risk.best_day),
    worst_day: roundValue(risk.worst_day),
  };
}

function redactAllocation(allocation: PerformanceWire['allocation']): PercentPerformanceWire['allocation'] {
  const { by_asset, by_chain, concentration } = allocation;
  return {
    by_asset: by_asset.map((part) => ({ ...nameAsset(part), share: roundShare(part.share) })),
    by_chain: by_chain.map(({ chain, share }) => ({ chain, share: roundShare(share) })),
    concentration: concentration && {
      index: roundFraction(concentration.index),
      effective_assets: roundFraction(concentration.effective_assets),
      largest: roundFraction(concentration.largest),
    },
  };
}

function redactBenchmark(benchmark: NonNullable<PerformanceWire['benchmark']>): NonNullable<PercentPerformanceWire['benchmark']> {
  const { basket, rebalance, starts_at, exhausted_at, unpriced_parts } = benchmark;
  return {
    basket,
    rebalance,
    starts_at,
    time_weighted: roundValue(benchmark.time_weighted),
    rate_difference: roundValue(benchmark.rate_difference),
    exhausted_at,
    unpriced_parts,
  };
}
