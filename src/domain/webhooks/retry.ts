const MINUTE = 60;
const HOUR = 3600;

/** Pauses after each failed attempt: a day and more in all, for whoever is away over night. */
const PAUSES_SECONDS = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR] as const;
/** No other side makes us wait for longer. */
const MAX_ASKED_SECONDS = 24 * HOUR;
const JITTER = 0.2;

/**
 * The pause after the failure of the attempt of this number (from 1), with up to a fifth more by chance, so that not all come back at once, and no shorter than the other side asks for.
 * Undefined when it was the last.
 */
export function pauseSeconds(
  attempt: number,
  { askedSeconds, random }: { readonly askedSeconds: number; readonly random: () => number },
): number | undefined {
  const pause = PAUSES_SECONDS[attempt - 1];
  if (pause === undefined) return undefined;
  return Math.max(pause * (1 + random() * JITTER), Math.min(askedSeconds, MAX_ASKED_SECONDS));
}

/** The other side cannot take more for now, rather than not this. */
const SLOW_DOWN_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const SLOW_DOWN_SECONDS = 30;

/** For how long nothing at all is to be sent to an endpoint that answered so; 0 when others may still get through. */
export function slowDownSeconds(status: number | null, askedSeconds: number): number {
  if (status === null || !SLOW_DOWN_STATUSES.has(status)) return 0;
  return askedSeconds > 0 ? Math.min(askedSeconds, MAX_ASKED_SECONDS) : SLOW_DOWN_SECONDS;
}
