import { AppError } from '../domain/errors.ts';
import { startOfDate } from '../domain/history/chart-intervals.ts';

/** A moment of the query `name`: RFC 3339, or the beginning of a date in the zone. Throws invalid_request. */
export function toMoment(text: string, { name, timeZone }: { readonly name: string; readonly timeZone: string }): Date {
  const moment = text.includes('T') ? new Date(text) : startOfDate(text, timeZone);
  if (moment !== undefined && !Number.isNaN(moment.getTime())) return moment;
  const message = 'There is no such time.';
  throw new AppError('invalid_request', message, { issues: [{ pointer: `/query/${name}`, code: 'invalid_value', message }] });
}
