import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import {
  addChanges,
  CHANGE_PARTS,
  type ChangeEnd,
  type HoldingChange,
  judgeEnds,
  partOfUnexplained,
  splitChange,
  type ValueChange,
} from '../../../src/domain/history/value-changes.ts';

const end = (overrides: Partial<ChangeEnd> = {}): ChangeEnd => ({
  amountRaw: 100n,
  price: new Decimal(10),
  perUsd: new Decimal(1),
  isCounted: true,
  ...overrides,
});

const split = (overrides: Partial<HoldingChange> = {}): ValueChange =>
  splitChange({ unit: new Decimal('0.01'), start: end(), end: end(), moves: [], rest: 'unexplained', ...overrides });

/** Start, end and the parts, in digits. */
function show({ start, end: last, parts }: ValueChange): object {
  return {
    from: start.toFixed(),
    to: last.toFixed(),
    ...Object.fromEntries([...parts].map(([part, value]) => [part, value.toFixed()])),
  };
}

const NOTHING_SPECIAL = { isGone: false, isFollowed: true, wasAway: false, isNew: false };

describe('splitChange', () => {
  it('counts what was held by prices and rates, and what moved at the end', () => {
    const later = end({ amountRaw: 150n, price: new Decimal(12), perUsd: new Decimal('0.5') });
    const moves = [
      { part: 'quantity_in', amountRaw: 70n },
      { part: 'fees', amountRaw: -5n },
    ] as const;
    expect(show(split({ end: later, moves }))).toEqual({
      from: '10',
      to: '9',
      price: '2',
      fx: '-6',
      quantity_in: '4.2',
      fees: '-0.3',
      unexplained: '-0.9',
    });
  });

  it('tells a price that was found or lost apart from what moved', () => {
    const unpriced = end({ price: null });
    const more = end({ amountRaw: 130n });
    expect(show(split({ start: unpriced, end: more }))).toEqual({ from: '0', to: '13', price_found: '10', unexplained: '3' });
    expect(show(split({ start: more, end: unpriced }))).toEqual({ from: '13', to: '0', unexplained: '-3', price_lost: '-10' });
  });

  it('counts all that left at the last price there was', () => {
    const sold = end({ amountRaw: 0n, price: null });
    const moves = [{ part: 'trade', amountRaw: -100n }] as const;
    expect(show(split({ end: sold, moves }))).toEqual({ from: '10', to: '0', trade: '-10' });
  });

  it('says nothing about what never had a price, decimals or a place in the total', () => {
    const moves = [{ part: 'quantity_in', amountRaw: 5n }] as const;
    const nothing = { from: '0', to: '0' };
    expect(show(split({ unit: null, moves }))).toEqual(nothing);
    expect(show(split({ start: end({ price: null }), end: end({ price: null }), moves }))).toEqual(nothing);
    expect(show(split({ start: end({ isCounted: false }), end: end({ isCounted: false, amountRaw: 9n }) }))).toEqual(nothing);
  });

  it('gives a reclassified asset as one part, whatever else happened to it', () => {
    const later = end({ amountRaw: 150n, price: new Decimal(1_000_000) });
    const moves = [{ part: 'quantity_in', amountRaw: 50n }] as const;
    expect(show(split({ end: { ...later, isCounted: false }, moves }))).toEqual({
      from: '10',
      to: '0',
      spam_reclassified: '-10',
    });
    expect(show(split({ start: end({ isCounted: false }), end: later, moves }))).toEqual({
      from: '0',
      to: '1500000',
      spam_reclassified: '1500000',
    });
  });

  const decimal = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 40n }), fc.integer({ min: 0, max: 60 }))
    .map(([digits, places]) => new Decimal(digits.toString()).shiftedBy(-places));
  const anyEnd = fc.record({
    amountRaw: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    price: fc.option(decimal),
    isCounted: fc.boolean(),
  });
  const anyMove = fc.record({ part: fc.constantFrom(...CHANGE_PARTS), amountRaw: fc.bigInt() });
  const anyHolding = fc.record({
    unit: fc.option(fc.integer({ min: 0, max: 255 }).map((places) => new Decimal(1).shiftedBy(-places))),
    start: anyEnd,
    end: anyEnd,
    moves: fc.array(anyMove, { maxLength: 6 }),
    rest: fc.constantFrom(...CHANGE_PARTS),
  });

  it('has parts that add up to the difference, to the last digit, over any portfolio', () => {
    fc.assert(
      fc.property(fc.array(anyHolding, { maxLength: 8 }), decimal, decimal, (holdings, before, after) => {
        const changes = holdings.map((holding) =>
          splitChange({
            ...holding,
            start: { ...holding.start, perUsd: before },
            end: { ...holding.end, perUsd: after },
          }),
        );
        const { start, end: last, parts } = addChanges(changes);
        const sum = Decimal.sum(0, ...parts.values());
        expect(sum.toFixed()).toBe(last.minus(start).toFixed());
        const counted = holdings.filter(
          (holding) => holding.end.isCounted && holding.unit !== null && holding.end.price !== null,
        );
        const values = counted.map(({ unit, end: { amountRaw, price } }) =>
          new Decimal(amountRaw.toString())
            .times(unit ?? 0)
            .times(price ?? 0)
            .times(after),
        );
        expect(last.toFixed()).toBe(Decimal.sum(0, ...values).toFixed());
      }),
    );
  });

  it('nets a transfer between two wallets to zero', () => {
    fc.assert(
      fc.property(anyEnd, decimal, fc.bigInt({ min: 0n, max: 10n ** 30n }), (last, perUsd, amountRaw) => {
        const from = { ...last, perUsd, amountRaw };
        const to = { ...last, perUsd, amountRaw: 0n };
        const gave = split({ start: from, end: to, moves: [{ part: 'internal', amountRaw: -amountRaw }] });
        const got = split({ start: to, end: from, moves: [{ part: 'internal', amountRaw }] });
        expect((addChanges([gave, got]).parts.get('internal') ?? new Decimal(0)).toFixed()).toBe('0');
      }),
    );
  });
});

describe('partOfUnexplained', () => {
  it('says what is known of a movement that the ledger does not explain', () => {
    expect(partOfUnexplained(NOTHING_SPECIAL)).toBe('unexplained');
    expect(partOfUnexplained({ ...NOTHING_SPECIAL, isNew: true })).toBe('newly_found');
    expect(partOfUnexplained({ ...NOTHING_SPECIAL, isNew: true, wasAway: true })).toBe('source_back');
    expect(partOfUnexplained({ ...NOTHING_SPECIAL, isGone: true, wasAway: true })).toBe('source_failed');
    expect(partOfUnexplained({ ...NOTHING_SPECIAL, isGone: true, isFollowed: false })).toBe('wallet_removed');
  });
});

describe('judgeEnds', () => {
  const [counted, excluded] = [
    { isHeld: true, isExcluded: false },
    { isHeld: true, isExcluded: true },
  ];

  it('goes by what was said at the time where that changed in between', () => {
    expect(judgeEnds({ start: counted, end: excluded, isExcludedNow: true })).toEqual({ start: true, end: false });
    expect(judgeEnds({ start: excluded, end: counted, isExcludedNow: true })).toEqual({ start: false, end: true });
  });

  it('goes by the word of today where it did not', () => {
    expect(judgeEnds({ start: counted, end: counted, isExcludedNow: true })).toEqual({ start: false, end: false });
    expect(judgeEnds({ start: excluded, end: excluded, isExcludedNow: false })).toEqual({ start: true, end: true });
  });

  it('takes no arrival and no departure for a reclassification', () => {
    const none = { isHeld: false, isExcluded: false };
    expect(judgeEnds({ start: none, end: excluded, isExcludedNow: true })).toEqual({ start: false, end: false });
    expect(judgeEnds({ start: excluded, end: none, isExcludedNow: false })).toEqual({ start: true, end: true });
  });
});
