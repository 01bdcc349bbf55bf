/** A period's return as a fraction, 0.01 for one per cent; null where it is not known. */
export type PeriodReturn = number | null;

/** The returns that are known, in order. NaN counts as unknown, so that series of other tools can be handed in as they are. */
export function knownReturns(returns: readonly PeriodReturn[]): readonly number[] {
  return returns.filter((value): value is number => value !== null && !Number.isNaN(value));
}

/** Sum with Neumaier's compensation: what rounding took from one term is given back at the end. */
export function sum(values: readonly number[]): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/** Arithmetic mean; null for no values. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length;
}

/** Below this a spread is the rounding of equal values. */
const NO_SPREAD = 1e-12;

/** Standard deviation of a sample (n - 1); null for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number | null {
  const center = mean(values);
  if (center === null || values.length < 2) return null;
  return Math.sqrt(sum(values.map((value) => (value - center) ** 2)) / (values.length - 1));
}

/** The same, null where there is no spread to divide by. */
export function usableDeviation(values: readonly number[]): number | null {
  const deviation = sampleDeviation(values);
  return deviation === null || deviation < NO_SPREAD ? null : deviation;
}

/** Differences of two series of one length where both are known. Throws RangeError for series of different lengths. */
export function differences(a: readonly PeriodReturn[], b: readonly PeriodReturn[]): readonly number[] {
  return knownPairs(a, b).map(([left, right]) => left - right);
}

/** The pairs of two series of one length where both are known. Throws RangeError for series of different lengths. */
export function knownPairs(a: readonly PeriodReturn[], b: readonly PeriodReturn[]): readonly (readonly [number, number])[] {
  if (a.length !== b.length) throw new RangeError(`series of ${a.length} and ${b.length} periods cannot be compared`);
  return a.flatMap((left, index) => {
    const pair = knownReturns([left, b[index] ?? null]);
    const [first, second] = pair;
    return first === undefined || second === undefined ? [] : [[first, second] as const];
  });
}
