import type { HealthPart } from './health-service.ts';

/** A part of the service that is judged by what those meet who use it. */
export type WatchedPart = {
  /** Somebody used it, well or not. */
  note(isGood: boolean): void;
  get(): HealthPart;
};

type WatchedPartOptions = {
  readonly name: string;
  readonly now: () => Date;
  /** After so long without a good use it counts as down; left out for what may be idle. */
  readonly maxSilenceMs?: number;
};

/** One bad use among good ones is no end of it. */
const MAX_BAD_MS = 30_000;

export function createWatchedPart({ name, now, maxSilenceMs = Number.POSITIVE_INFINITY }: WatchedPartOptions): WatchedPart {
  let last: { readonly isGood: boolean; readonly at: Date } | undefined;
  let lastGood: Date | undefined;
  const startedAt = now();
  const judge = (): HealthPart['status'] => {
    const silentMs = now().getTime() - (lastGood ?? startedAt).getTime();
    if (silentMs > maxSilenceMs) return 'down';
    if (last === undefined) return 'unknown';
    if (last.isGood) return 'ok';
    return lastGood !== undefined && silentMs <= MAX_BAD_MS ? 'degraded' : 'down';
  };
  return {
    note(isGood) {
      last = { isGood, at: now() };
      if (isGood) lastGood = last.at;
    },
    get: () => ({ name, status: judge(), checkedAt: last?.at ?? null, error: null, block: null, inUse: true }),
  };
}
