/** Whether so much time has passed since it last said yes. For telling of what goes on and on. */
export function createSeldom(intervalMs: number): () => boolean {
  let nextAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now < nextAt) return false;
    nextAt = now + intervalMs;
    return true;
  };
}
