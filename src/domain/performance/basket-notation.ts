import { Decimal } from '../decimal.ts';

/** A part of a basket as its owner names it, and its share of the whole. */
export type NamedPart = { readonly name: string; readonly weight: Decimal };

const MAX_PARTS = 10;
const PART = /^(?<name>.{1,160}):(?<percent>\d{1,3}(\.\d{1,10})?)$/;

/** Reads `btc:50,eth:50`: names with their share in per cent, 100 in sum, at most ten. Undefined for everything else. */
export function parseBasket(text: string): readonly NamedPart[] | undefined {
  const parts = text.split(',').flatMap((part): NamedPart[] => {
    const { name, percent } = PART.exec(part.trim())?.groups ?? {};
    return name === undefined || percent === undefined ? [] : [{ name, weight: new Decimal(percent).shiftedBy(-2) }];
  });
  const total = parts.reduce((sum, { weight }) => sum.plus(weight), new Decimal(0));
  const isWhole = parts.length === text.split(',').length && total.eq(1) && parts.every(({ weight }) => weight.gt(0));
  const isDistinct = new Set(parts.map(({ name }) => name)).size === parts.length;
  return isWhole && isDistinct && parts.length <= MAX_PARTS ? parts : undefined;
}
