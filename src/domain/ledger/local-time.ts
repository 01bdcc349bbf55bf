import { Temporal } from 'temporal-polyfill';

/** Why a text names no moment: it is no time; or the zone's clocks skip it, or show it twice. */
export type LocalTimeFault = 'invalid_time' | 'nonexistent_time' | 'ambiguous_time';

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:\d{2})?$/;

/** The moment that a date and time of RFC 3339 names; without an offset it is what the clocks of the zone show. Undefined in a zone's time that is skipped or comes twice. */
export function readLocalTime(text: string, timeZone: string): Date | LocalTimeFault {
  const [, date, time, offset] = DATE_TIME.exec(text) ?? [];
  if (date === undefined || time === undefined) return 'invalid_time';
  try {
    const plain = Temporal.PlainDateTime.from(`${date}T${time}`, { overflow: 'reject' });
    if (offset !== undefined) return toDate(Temporal.Instant.from(`${date}T${time}${offset}`));
    const earlier = plain.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
    const later = plain.toZonedDateTime(timeZone, { disambiguation: 'later' });
    if (earlier.epochNanoseconds === later.epochNanoseconds) return toDate(earlier);
    return earlier.toPlainDateTime().equals(plain) ? 'ambiguous_time' : 'nonexistent_time';
  } catch {
    return 'invalid_time';
  }
}

function toDate({ epochMilliseconds }: { readonly epochMilliseconds: number }): Date {
  return new Date(epochMilliseconds);
}
