import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cadence, nextCadence, type ReadFacts, staleAfterSeconds, withJitter } from '../../src/domain/cadence.ts';
import { Decimal } from '../../src/domain/decimal.ts';

const BASE = 300;
const NEW: Cadence = { intervalSeconds: BASE, idleStreak: 0 };

function facts(overrides: Partial<ReadFacts> = {}): ReadFacts {
  return { outcome: 'ok', hasChanged: false, isEmpty: false, valueUsd: null, ...overrides };
}

/** The intervals after each of so many equal reads. */
function intervals(read: ReadFacts, count: number, start = NEW): number[] {
  let cadence = start;
  return Array.from({ length: count }, () => {
    cadence = nextCadence(BASE, cadence, read);
    return cadence.intervalSeconds;
  });
}

describe('a wallet', () => {
  it('is read often while it moves, and calms down to the base', () => {
    expect(nextCadence(BASE, NEW, facts({ hasChanged: true }))).toEqual({ intervalSeconds: 75, idleStreak: 0 });
    expect(intervals(facts(), 6)).toEqual([75, 150, 150, 300, 300, 300]);
  });

  it('is read twice as often for good when it is worth much', () => {
    expect(intervals(facts({ valueUsd: new Decimal(10_000) }), 6).at(-1)).toBe(150);
    expect(intervals(facts({ valueUsd: new Decimal('9999.99') }), 6).at(-1)).toBe(300);
  });

  it('that is empty is read seldom, until something arrives', () => {
    expect(intervals(facts({ isEmpty: true }), 9)).toEqual([300, 300, 300, 600, 600, 600, 600, 1200, 1200]);
    expect(nextCadence(BASE, { intervalSeconds: 1200, idleStreak: 40 }, facts({ hasChanged: true })).intervalSeconds).toBe(75);
  });

  it('that cannot be read backs off to four times the base, and is as before once it can', () => {
    expect(intervals(facts({ outcome: 'failed' }), 4)).toEqual([600, 1200, 1200, 1200]);
    const calm: Cadence = { intervalSeconds: 1200, idleStreak: 20 };
    expect(nextCadence(BASE, calm, facts())).toEqual({ intervalSeconds: 300, idleStreak: 21 });
    expect(intervals(facts({ outcome: 'failed' }), 1, { intervalSeconds: 75, idleStreak: 0 })).toEqual([300]);
  });
});

const anyFacts = fc.record<ReadFacts>({
  outcome: fc.constantFrom('ok', 'failed'),
  hasChanged: fc.boolean(),
  isEmpty: fc.boolean(),
  valueUsd: fc.option(
    fc.bigInt({ min: 0n, max: 10n ** 30n }).map((value) => new Decimal(value.toString())),
    { nil: null },
  ),
});

it('a figure is stale by its own schedule, and never before it missed three reads of the base', () => {
  expect(staleAfterSeconds(BASE, null)).toBe(900);
  expect(staleAfterSeconds(BASE, 75)).toBe(900);
  expect(staleAfterSeconds(BASE, 1200)).toBe(3600);
});

describe('whatever is read', () => {
  it('the interval is a whole number from a quarter of the base, and ten seconds at least, to four times the base', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 86_400 }), fc.array(anyFacts, { minLength: 1, maxLength: 30 }), (base, reads) => {
        let cadence: Cadence = { intervalSeconds: 300, idleStreak: 0 };
        for (const read of reads) {
          cadence = nextCadence(base, cadence, read);
          expect(Number.isInteger(cadence.intervalSeconds)).toBe(true);
          expect(cadence.intervalSeconds).toBeGreaterThanOrEqual(Math.max(10, Math.floor(base / 4)));
          expect(cadence.intervalSeconds).toBeLessThanOrEqual(base * 4);
          expect(cadence.idleStreak).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('a change never makes the next read later than no change would', () => {
    fc.assert(
      fc.property(anyFacts, fc.nat(50), (read, idleStreak) => {
        const last = { intervalSeconds: BASE, idleStreak };
        const changed = nextCadence(BASE, last, { ...read, hasChanged: true });
        expect(changed.intervalSeconds).toBeLessThanOrEqual(
          nextCadence(BASE, last, { ...read, hasChanged: false }).intervalSeconds,
        );
      }),
    );
  });

  it('jitter stays within a tenth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 400_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (seconds, random) => {
        const jittered = withJitter(seconds, random);
        expect(jittered).toBeGreaterThanOrEqual(seconds * 0.8999);
        expect(jittered).toBeLessThanOrEqual(seconds * 1.1001);
      }),
    );
  });
});
