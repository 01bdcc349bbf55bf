import { DAYS_PER_YEAR, perPeriodRate } from './returns.ts';
import {
  differences,
  knownPairs,
  knownReturns,
  mean,
  type PeriodReturn,
  sampleDeviation,
  sum,
  usableDeviation,
} from './statistics.ts';

export type RiskOptions = {
  /** 365 for days, 52 for weeks, 12 for months. 365 unless given. */
  readonly periodsPerYear?: number;
  /** What could have been earned without risk, as a fraction a year; 0 unless given. It is spread over the periods so that it compounds to the year. */
  readonly riskFreePerYear?: number;
};

/** Standard deviation (n - 1) of the returns times the root of the periods a year. Null for fewer than two known returns. */
export function volatility(
  returns: readonly PeriodReturn[],
  { periodsPerYear = DAYS_PER_YEAR }: RiskOptions = {},
): number | null {
  const deviation = sampleDeviation(knownReturns(returns));
  return deviation === null ? null : deviation * Math.sqrt(periodsPerYear);
}

/** Mean excess return over its standard deviation (n - 1), times the root of the periods a year. Null for fewer than two known returns, and without spread. */
export function sharpeRatio(returns: readonly PeriodReturn[], options: RiskOptions = {}): number | null {
  return annualRatio(excess(returns, options), options);
}

/** Root of the mean squared shortfall below the required return over all known periods, times the root of the periods a year. Null for no known return. */
export function downsideRisk(returns: readonly PeriodReturn[], options: RiskOptions = {}): number | null {
  const squares = excess(returns, options).map((value) => Math.min(value, 0) ** 2);
  const average = mean(squares);
  return average === null ? null : Math.sqrt(average * (options.periodsPerYear ?? DAYS_PER_YEAR));
}

/** Mean excess return a year over the downside risk. Null for fewer than two known returns, and where nothing fell short. */
export function sortinoRatio(returns: readonly PeriodReturn[], options: RiskOptions = {}): number | null {
  const over = excess(returns, options);
  const average = mean(over);
  const risk = downsideRisk(returns, options);
  if (average === null || risk === null || over.length < 2 || risk < SMALLEST_RISK) return null;
  return (average * (options.periodsPerYear ?? DAYS_PER_YEAR)) / risk;
}

const SMALLEST_RISK = 1e-12;

/** The return that a share of the periods (0.05 unless given) fell below: a percentile, interpolated between neighbours. Null for no known return. */
export function valueAtRisk(returns: readonly PeriodReturn[], { share = 0.05 }: { readonly share?: number } = {}): number | null {
  const sorted = ascending(returns);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (place - Math.floor(place));
}

/** The mean of the worst periods, of which there are floor(share x (n - 1)) + 1. Null for no known return. */
export function conditionalValueAtRisk(
  returns: readonly PeriodReturn[],
  { share = 0.05 }: { readonly share?: number } = {},
): number | null {
  const sorted = ascending(returns);
  return mean(sorted.slice(0, Math.floor(share * (sorted.length - 1)) + 1));
}

/** How far the returns move with the benchmark's: covariance over the benchmark's variance. Null for fewer than two common periods, and for a benchmark that stands still. */
export function beta(returns: readonly PeriodReturn[], benchmark: readonly PeriodReturn[]): number | null {
  const pairs = knownPairs(returns, benchmark);
  const ours = mean(pairs.map(([left]) => left));
  const theirs = mean(pairs.map(([, right]) => right));
  if (ours === null || theirs === null || usableDeviation(pairs.map(([, right]) => right)) === null) return null;
  return (
    sum(pairs.map(([left, right]) => (left - ours) * (right - theirs))) / sum(pairs.map(([, right]) => (right - theirs) ** 2))
  );
}

/** Standard deviation (n - 1) of the difference to the benchmark, times the root of the periods a year. */
export function trackingError(
  returns: readonly PeriodReturn[],
  benchmark: readonly PeriodReturn[],
  { periodsPerYear = DAYS_PER_YEAR }: Pick<RiskOptions, 'periodsPerYear'> = {},
): number | null {
  const deviation = sampleDeviation(differences(returns, benchmark));
  return deviation === null ? null : deviation * Math.sqrt(periodsPerYear);
}

/** Mean difference to the benchmark over its standard deviation (n - 1), times the root of the periods a year. */
export function informationRatio(
  returns: readonly PeriodReturn[],
  benchmark: readonly PeriodReturn[],
  options: Pick<RiskOptions, 'periodsPerYear'> = {},
): number | null {
  return annualRatio(differences(returns, benchmark), options);
}

function excess(returns: readonly PeriodReturn[], { periodsPerYear, riskFreePerYear = 0 }: RiskOptions): readonly number[] {
  const required = perPeriodRate(riskFreePerYear, periodsPerYear);
  return knownReturns(returns).map((value) => value - required);
}

function annualRatio(values: readonly number[], { periodsPerYear = DAYS_PER_YEAR }: RiskOptions): number | null {
  const average = mean(values);
  const deviation = usableDeviation(values);
  return average === null || deviation === null ? null : (average / deviation) * Math.sqrt(periodsPerYear);
}

function ascending(returns: readonly PeriodReturn[]): readonly number[] {
  return knownReturns(returns).toSorted((a, b) => a - b);
}
