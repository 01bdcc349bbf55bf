import { describe, expect, it } from 'vitest';
import { createHeadMonitor, type HeadMonitor } from '../../../../src/lib/json-rpc/pool/head-monitor.ts';

const START = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;

function rig(blockTimeMs = 12_000): { heads: HeadMonitor<string>; clock: { now: number } } {
  const clock = { now: START };
  return { heads: createHeadMonitor<string>({ blockTimeMs, now: () => clock.now }), clock };
}

describe('lag', () => {
  it('is told against the best of the others, and is a fault only beyond a few blocks', () => {
    const { heads } = rig();
    heads.note('a', 100n);
    heads.note('b', 97n);
    expect(heads.view('b')).toEqual({ head: 97n, lag: 3n, isBehind: false });
    heads.note('b', 96n);
    expect(heads.view('b')).toMatchObject({ lag: 4n, isBehind: true });
    heads.note('b', 99n);
    expect(heads.view('b')).toMatchObject({ lag: 1n, isBehind: false });
    expect(heads.view('c')).toEqual({ head: null, lag: null, isBehind: false });
  });

  it('of a fast chain is measured in time', () => {
    const { heads } = rig(250);
    heads.note('a', 1_000n);
    heads.note('b', 920n);
    expect(heads.view('b').isBehind).toBe(false);
    heads.note('b', 919n);
    expect(heads.view('b').isBehind).toBe(true);
  });

  it('to an endpoint that turned out to serve another chain counts no more', () => {
    const { heads } = rig();
    heads.note('liar', 9_000n);
    heads.forget('liar');
    heads.note('a', 100n);
    expect(heads.view('a').isBehind).toBe(false);
  });
});

describe('a stuck head', () => {
  it('is found by the clock alone, when it is asked for again', () => {
    const { heads, clock } = rig(2_000);
    heads.note('a', 100n);
    clock.now += 119_000;
    heads.note('a', 100n);
    expect(heads.view('a').isBehind).toBe(false);
    clock.now += 1_000;
    heads.note('a', 100n);
    expect(heads.view('a').isBehind).toBe(true);
    heads.note('a', 101n);
    expect(heads.view('a').isBehind).toBe(false);
  });

  it('is not one that nobody asked about for an hour', () => {
    const { heads, clock } = rig();
    heads.note('a', 100n);
    clock.now += 60 * MINUTE;
    expect(heads.view('a').isBehind).toBe(false);
    heads.note('a', 400n);
    expect(heads.view('a').isBehind).toBe(false);
  });

  it('ages what is read at it', () => {
    const { heads, clock } = rig();
    heads.note('a', 100n);
    clock.now += 2 * MINUTE;
    expect(heads.freshAt(100n)).toEqual(new Date(clock.now));
    clock.now += 3 * MINUTE;
    heads.note('a', 100n);
    expect(heads.freshAt(100n)).toEqual(new Date(START));
    // A process that has just come believes the block itself.
    const young = new Date(clock.now - 1_000);
    const old = new Date(START - 600_000);
    expect([heads.freshAt(101n, young), heads.freshAt(101n, old)]).toEqual([new Date(clock.now), old]);
    expect(heads.freshAt(101n)).toEqual(new Date(clock.now));
    heads.note('a', 101n);
    expect(heads.freshAt(101n)).toEqual(new Date(clock.now));
  });
});

describe('the tip', () => {
  it('is the highest block that was served', () => {
    const { heads } = rig();
    expect(heads.tip()).toBeUndefined();
    heads.noteServed(100n);
    heads.noteServed(90n);
    expect(heads.tip()).toBe(100n);
  });

  it('is forgotten only when no endpoint came up to it for ten minutes', () => {
    const { heads, clock } = rig();
    heads.noteServed(100n);
    clock.now += 9 * MINUTE;
    heads.note('a', 100n);
    clock.now += 9 * MINUTE;
    heads.note('b', 50n);
    expect(heads.tip()).toBe(100n);
    clock.now += 2 * MINUTE;
    expect(heads.tip()).toBeUndefined();
    heads.noteServed(51n);
    expect(heads.tip()).toBe(51n);
  });
});
