import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetLimits, createCallBudget } from '../../../../src/lib/json-rpc/guard/call-budget.ts';
import { type CallPacer, createCallPacer } from '../../../../src/lib/json-rpc/guard/call-pacer.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const NONE: BudgetLimits = { perSecond: null, perDay: null };

type Rig = { readonly pacer: CallPacer; readonly clock: { now: number } };

function rig(limits: BudgetLimits = NONE, isOwn = false): Rig {
  const clock = { now: NOON };
  const now = (): number => clock.now;
  return { pacer: createCallPacer({ budget: createCallBudget(limits, now), isOwn, now }), clock };
}

/** Sends as fast as it may for so long; the calls that went, and when. */
function sendFor({ pacer, clock }: Rig, ms: number, calls: () => number = () => 1): { at: number; calls: number }[] {
  const sent: { at: number; calls: number }[] = [];
  const end = clock.now + ms;
  for (;;) {
    const next = Math.min(calls(), pacer.largestBatch());
    clock.now += pacer.waitMs(next);
    if (clock.now >= end) return sent;
    pacer.note(next);
    pacer.noteServed();
    sent.push({ at: clock.now, calls: next });
  }
}

function mostInAnySecond(sent: readonly { at: number; calls: number }[]): number {
  return Math.max(
    ...sent.map((from) =>
      sent.filter(({ at }) => at >= from.at && at < from.at + 1_000).reduce((sum, { calls }) => sum + calls, 0),
    ),
  );
}

describe('a configured budget', () => {
  it('is never exceeded in any second, whatever the batches, and is used', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 60, noNaN: true }),
        fc.infiniteStream(fc.integer({ min: 1, max: 100 })),
        (perSecond, sizes) => {
          const sent = sendFor(rig({ perSecond, perDay: null }), 5_000, () => sizes.next().value);
          expect(mostInAnySecond(sent)).toBeLessThanOrEqual(perSecond);
          expect(sent.reduce((sum, { calls }) => sum + calls, 0)).toBeGreaterThanOrEqual(Math.floor(perSecond) * 2);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of less than one a second spaces the calls', () => {
    const sent = sendFor(rig({ perSecond: 0.25, perDay: null }), 60_000);
    expect(sent.length).toBeGreaterThanOrEqual(14);
    for (const [index, { at }] of sent.entries()) expect(at - (sent[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(4_000);
  });

  it('of a day counts every call of a batch and opens again at midnight UTC', () => {
    const { pacer, clock } = rig({ perSecond: null, perDay: 10 });
    pacer.note(7);
    expect(pacer.waitMs(3)).toBe(0);
    expect(pacer.waitMs(4)).toBe(12 * 3_600_000);
    pacer.note(3);
    expect(pacer.status().budget.usedToday).toBe(10);
    clock.now += 12 * 3_600_000;
    expect(pacer.waitMs(10)).toBe(0);
    expect(pacer.status().budget.usedToday).toBe(0);
  });

  it('of zero lets nothing go', () => {
    expect(rig({ perSecond: 0, perDay: null }).pacer.waitMs(1)).toBeGreaterThan(3_600_000);
    expect(rig({ perSecond: null, perDay: 0 }).pacer.waitMs(1)).toBeGreaterThan(3_600_000);
  });

  it('is shared by the endpoints of one provider', () => {
    const clock = { now: NOON };
    const budget = createCallBudget({ perSecond: 5, perDay: null }, () => clock.now);
    const [one, other] = [createCallPacer({ budget, isOwn: true }), createCallPacer({ budget, isOwn: true })];
    for (let call = 0; call < 5; call += 1) one.note(1);
    expect(other.waitMs(1)).toBeGreaterThanOrEqual(1_000);
  });

  it('bounds what batches may hold', () => {
    expect(rig({ perSecond: 12.5, perDay: null }).pacer.largestBatch()).toBe(12);
    expect(rig({ perSecond: 0.5, perDay: null }).pacer.largestBatch()).toBe(1);
    expect(rig().pacer.largestBatch()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the learnt rate', () => {
  it('begins at 20 a second and grows only when it is used', () => {
    const one = rig();
    expect(sendFor(one, 1_000).length).toBe(20);
    const idle = rig();
    for (let second = 0; second < 60; second += 1) {
      idle.clock.now += 1_000;
      idle.pacer.note(1);
      idle.pacer.noteServed();
    }
    expect(idle.pacer.status().rateLimitRps).toBe(20);
  });

  it("begins at the most for a node of one's own, and gives way as soon as that refuses", () => {
    const { pacer } = rig(NONE, true);
    expect(pacer.status().rateLimitRps).toBe(500);
    pacer.noteRefused({ isPart: false });
    expect(pacer.status().rateLimitRps).toBe(250);
  });

  it('reaches what a node of ones own takes within a minute, and no more than 500', () => {
    const one = rig();
    sendFor(one, 60_000);
    expect(one.pacer.status().rateLimitRps).toBe(500);
  });

  /** Uses the rate up and is refused for it. */
  function overdo({ pacer, clock }: Rig): void {
    clock.now += 2_000;
    while (pacer.waitMs(1) === 0) pacer.note(1);
    pacer.noteRefused({ isPart: false });
  }

  it('is halved at the first refusal and at others soon after, and grows slowly near what was refused', () => {
    const one = rig();
    overdo(one);
    expect(one.pacer.status().rateLimitRps).toBe(10);
    one.pacer.noteRefused({ isPart: false });
    expect(one.pacer.status().rateLimitRps, 'calls in flight tell the same').toBe(10);
    overdo(one);
    expect(one.pacer.status().rateLimitRps).toBe(5);
    sendFor(one, 30_000);
    expect(one.pacer.status().rateLimitRps).toBeGreaterThanOrEqual(8);
    expect(one.pacer.status().rateLimitRps).toBeLessThan(10);
    one.clock.now += 120_000;
    const before = one.pacer.status().rateLimitRps;
    overdo(one);
    expect(one.pacer.status().rateLimitRps).toBeCloseTo(before * 0.95);
  });

  it('is soon what it was after refusals that had another reason', () => {
    const one = rig();
    for (let round = 0; round < 10; round += 1) {
      one.clock.now += 2_000;
      one.pacer.noteRefused({ isPart: false });
    }
    expect(one.pacer.status().rateLimitRps).toBe(3);
    sendFor(one, 10_000);
    expect(one.pacer.status().rateLimitRps).toBeGreaterThan(20);
  });

  it('finds the limit of a provider and is seldom refused from then on', () => {
    const { pacer, clock } = rig();
    const sent: number[] = [];
    const end = clock.now + 10 * 60_000;
    let refused = 0;
    while (clock.now < end) {
      clock.now += pacer.waitMs(1);
      pacer.note(1);
      sent.push(clock.now);
      const isTooMuch = sent.filter((at) => at > clock.now - 1_000).length > 30;
      if (!isTooMuch) pacer.noteServed();
      else {
        pacer.noteRefused({ isPart: false });
        refused += 1;
        clock.now += 1_000;
      }
      if (sent.length > 100) sent.shift();
      clock.now += 1;
    }
    expect(refused / (10 * 60)).toBeLessThan(0.05);
    expect(pacer.status().rateLimitRps).toBeGreaterThan(10);
  });

  it('counts the calls of a batch once a part of one was refused', () => {
    const one = rig();
    one.pacer.note(100);
    expect(one.pacer.waitMs(1)).toBe(0);
    one.pacer.noteRefused({ isPart: true });
    expect(one.pacer.largestBatch()).toBe(10);
    one.clock.now += 2_000;
    one.pacer.note(10);
    expect(one.pacer.waitMs(1)).toBeGreaterThan(900);
  });
});
