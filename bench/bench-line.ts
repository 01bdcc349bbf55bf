/** One measure: `ratio` is its share of the ceiling, null where there is none. */
export type BenchLine = { readonly name: string; readonly value: number; readonly unit: string; readonly ratio: number | null };

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `name value unit ratio-to-ceiling`, `-` where there is no ceiling. */
export function formatLine({ name, value, unit, ratio }: BenchLine): string {
  const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
  return `${name} ${value.toFixed(digits)} ${unit} ${ratio === null ? '-' : ratio.toFixed(2)}`;
}
