/** How long the last calls took. */
export type LatencyWindow = {
  note(ms: number): void;
  /** Undefined until there are enough calls to tell. */
  p95(): number | undefined;
};

const SIZE = 100;
const FEWEST = 10;

export function createLatencyWindow(): LatencyWindow {
  const last: number[] = [];
  let place = 0;
  return {
    note(ms) {
      last[place] = ms;
      place = (place + 1) % SIZE;
    },
    p95() {
      if (last.length < FEWEST) return undefined;
      return last.toSorted((a, b) => a - b)[Math.ceil(last.length * 0.95) - 1];
    },
  };
}
