import { Decimal, formatDecimal } from '../domain/decimal.ts';

/** A `numeric` as Postgres writes it, without the trailing zeros that it keeps. */
export function toPlainDecimal(numeric: string): string {
  return formatDecimal(new Decimal(numeric));
}
