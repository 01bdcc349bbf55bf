/** What went in the last while, such that no span of that length holds more than the limit, wherever it begins. */
export type CallWindow = {
  /** Milliseconds until so much more may go. What is more than the limit goes when nothing else did. */
  waitMs(weight: number, perSecond: number): number;
  /** It goes now. */
  note(weight: number): void;
  /** What went in the last second. */
  sum(): number;
};

/** Timers and the other side's clock are not exact. */
const MARGIN_MS = 5;

export function createCallWindow(now: () => number): CallWindow {
  let sent: { readonly at: number; readonly weight: number }[] = [];
  let longestMs = 1_000;
  const since = (spanMs: number): typeof sent => {
    const start = now() - spanMs;
    return sent.filter(({ at }) => at > start);
  };
  return {
    waitMs(weight, perSecond) {
      // Whole calls in whole seconds; less than one a second is one in more than a second.
      const limit = Math.max(1, Math.floor(perSecond));
      const spanMs = 1_000 / Math.min(1, perSecond) + MARGIN_MS;
      longestMs = Math.max(longestMs, spanMs);
      const recent = since(spanMs);
      let excess = total(recent) + Math.min(weight, limit) - limit;
      let freeAt = now();
      for (const entry of recent) {
        if (excess <= 0) break;
        excess -= entry.weight;
        freeAt = entry.at + spanMs;
      }
      return Math.max(0, freeAt - now());
    },
    note(weight) {
      sent = [...since(longestMs), { at: now(), weight }];
    },
    sum: () => total(since(1_000)),
  };
}

function total(entries: readonly { readonly weight: number }[]): number {
  return entries.reduce((sum, { weight }) => sum + weight, 0);
}
