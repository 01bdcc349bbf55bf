/**
 * A time in seconds since 1970, as the digits of a JSON number, as a date. Null when there is none; an invalid date when there is something else
 * than a time.
 */
export function readUnixTime(seconds: unknown): Date | null {
  if (seconds === undefined || seconds === null) return null;
  return new Date(typeof seconds === 'string' && seconds !== '' ? Number(seconds) * 1000 : Number.NaN);
}
