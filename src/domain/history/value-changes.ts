import { Decimal } from '../decimal.ts';
import type { EntryType } from '../ledger/ledger.ts';

/** What a difference between two totals is made of. */
export const CHANGE_PARTS = [
  'price',
  'quantity_in',
  'quantity_out',
  'internal',
  'trade',
  'income',
  'fees',
  'fx',
  'newly_found',
  'wallet_added',
  'wallet_removed',
  'source_failed',
  'source_back',
  'price_lost',
  'price_found',
  'spam_reclassified',
  'unexplained',
] as const;
export type ChangePart = (typeof CHANGE_PARTS)[number];

/** A part that is not there is zero. */
export type ChangeParts = ReadonlyMap<ChangePart, Decimal>;

/** A holding at one end of the time. */
export type ChangeEnd = {
  readonly amountRaw: bigint;
  /** One whole, in US dollars; null when it was not known. */
  readonly price: Decimal | null;
  /** Units of the currency for one dollar. */
  readonly perUsd: Decimal;
  /** Whether it was part of the total. */
  readonly isCounted: boolean;
};

export type HoldingChange = {
  /** One smallest unit in whole ones; null when its decimals are not known. */
  readonly unit: Decimal | null;
  readonly start: ChangeEnd;
  readonly end: ChangeEnd;
  /** What is known to have moved, in smallest units. */
  readonly moves: readonly { readonly part: ChangePart; readonly amountRaw: bigint }[];
  /** What the rest of the movement is. */
  readonly rest: ChangePart;
};

/** Values in the currency, and what their difference is made of. The parts add up to it exactly. */
export type ValueChange = { readonly start: Decimal; readonly end: Decimal; readonly parts: ChangeParts };

const ZERO = new Decimal(0);

/**
 * Why a holding's value is another one. What was there at the start changes with its price, then with the rate of the currency; what came or went counts at the end's price and rate. Where only one end has a price, what
 * moved counts at that one, and the rest is what the missing price took or gave. What counted at one end only was reclassified as a whole.
 */
export function splitChange({ unit, start, end, moves, rest }: HoldingChange): ValueChange {
  const parts = new Map<ChangePart, Decimal>();
  const values = { start: worthOf(start, unit), end: worthOf(end, unit) };
  if (start.isCounted !== end.isCounted) {
    add(parts, 'spam_reclassified', values.end.minus(values.start));
    return { ...values, parts };
  }
  const known = end.price === null ? start : end;
  if (!start.isCounted || unit === null || known.price === null) return { ...values, parts };
  const before = unit.times(start.amountRaw.toString());
  const after = unit.times(end.amountRaw.toString());
  if (end.price === null) add(parts, 'price_lost', after.times(known.price).times(known.perUsd).negated());
  else if (start.price === null) add(parts, 'price_found', before.times(known.price).times(known.perUsd));
  else {
    add(parts, 'price', before.times(end.price.minus(start.price)).times(start.perUsd));
    add(parts, 'fx', before.times(end.price).times(end.perUsd.minus(start.perUsd)));
  }
  const perUnit = unit.times(known.price).times(known.perUsd);
  let left = end.amountRaw - start.amountRaw;
  for (const { part, amountRaw } of moves) {
    add(parts, part, perUnit.times(amountRaw.toString()));
    left -= amountRaw;
  }
  add(parts, rest, perUnit.times(left.toString()));
  return { ...values, parts };
}

/** All of them together. */
export function addChanges(changes: readonly ValueChange[]): ValueChange {
  const parts = new Map<ChangePart, Decimal>();
  let [start, end] = [ZERO, ZERO];
  for (const change of changes) {
    start = start.plus(change.start);
    end = end.plus(change.end);
    for (const [part, value] of change.parts) add(parts, part, value);
  }
  return { start, end, parts };
}

/** The part that an entry of the ledger belongs to. */
export function partOfEntry(type: EntryType): ChangePart {
  return PART_OF_ENTRY[type];
}

const PART_OF_ENTRY = {
  deposit: 'quantity_in',
  withdrawal: 'quantity_out',
  internal: 'internal',
  trade: 'trade',
  fee: 'fees',
  income: 'income',
} as const satisfies Record<EntryType, ChangePart>;

/** What is known of a movement that the ledger does not explain. */
export type Unexplained = {
  /** Nobody reads the holding any more: it has ended at zero without having been read as zero. */
  readonly isGone: boolean;
  /** Whether its wallet is followed still. */
  readonly isFollowed: boolean;
  /** Its source could not be relied on at the start. */
  readonly wasAway: boolean;
  /** Its wallet had been read before, but this asset had never been seen in it. */
  readonly isNew: boolean;
};

/** The part that a movement belongs to which the ledger does not explain. */
export function partOfUnexplained({ isGone, isFollowed, wasAway, isNew }: Unexplained): ChangePart {
  if (isGone) return isFollowed ? 'source_failed' : 'wallet_removed';
  if (wasAway) return 'source_back';
  return isNew ? 'newly_found' : 'unexplained';
}

/**
 * Whether an asset was part of the total at each end. Only one that is held at both ends can have been reclassified, and then what was said at the time holds; else the word of today does, as in every chart.
 */
export function judgeEnds({ start, end, isExcludedNow }: ExclusionOfAsset): { readonly start: boolean; readonly end: boolean } {
  const isReclassified = start.isHeld && end.isHeld && start.isExcluded !== end.isExcluded;
  return isReclassified ? { start: !start.isExcluded, end: !end.isExcluded } : { start: !isExcludedNow, end: !isExcludedNow };
}

type ExclusionOfAsset = {
  readonly start: { readonly isHeld: boolean; readonly isExcluded: boolean };
  readonly end: { readonly isHeld: boolean; readonly isExcluded: boolean };
  readonly isExcludedNow: boolean;
};

/** What a holding adds to the total, in the currency. */
export function worthOf({ amountRaw, price, perUsd, isCounted }: ChangeEnd, unit: Decimal | null): Decimal {
  if (!isCounted || unit === null || price === null) return ZERO;
  return unit.times(amountRaw.toString()).times(price).times(perUsd);
}

function add(parts: Map<ChangePart, Decimal>, part: ChangePart, value: Decimal): void {
  if (!value.isZero()) parts.set(part, (parts.get(part) ?? ZERO).plus(value));
}
