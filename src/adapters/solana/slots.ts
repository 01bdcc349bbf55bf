/** The lowest of some slots; undefined for none. (`Math.min` takes no bigint.) */
export function lowestSlot(slots: readonly bigint[]): bigint | undefined {
  let low = slots[0];
  for (const slot of slots) if (low !== undefined && slot < low) low = slot;
  return low;
}

/** The highest of some slots; zero for none. */
export function highestSlot(slots: readonly bigint[]): bigint {
  let high = 0n;
  for (const slot of slots) if (slot > high) high = slot;
  return high;
}
