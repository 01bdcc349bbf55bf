import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlertRule, judgeAlert } from '../../../src/domain/alerts/alert.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { NOW } from '../../support/builders.ts';

type Rule = Pick<AlertRule, 'kind' | 'direction' | 'threshold' | 'hysteresis' | 'cooldownSeconds'>;

const ABOVE: Rule = {
  kind: 'value',
  direction: 'above',
  threshold: new Decimal(100),
  hysteresis: new Decimal('0.1'),
  cooldownSeconds: 60,
};
const BELOW: Rule = { ...ABOVE, direction: 'below' };
const CALM = { isTriggered: false, triggeredAt: null };
const SET_OFF = { isTriggered: true, triggeredAt: NOW };
const known = (value: string) => ({ value: new Decimal(value), unknownReasons: [] });

describe('a rule', () => {
  it.each([
    [ABOVE, CALM, '100', null],
    [ABOVE, CALM, '100.000000000000000000000001', 'triggered'],
    [ABOVE, SET_OFF, '1000', null],
    [ABOVE, SET_OFF, '90.000000000000000000000001', null],
    [ABOVE, SET_OFF, '90', 'resolved'],
    [BELOW, CALM, '100', null],
    [BELOW, CALM, '99.999999999999999999999999', 'triggered'],
    [BELOW, SET_OFF, '109.999999999999999999999999', null],
    [BELOW, SET_OFF, '110', 'resolved'],
    [{ ...ABOVE, hysteresis: new Decimal(0) }, SET_OFF, '100', 'resolved'],
  ] as const)('$direction %#', (rule, state, value, change) => {
    expect(judgeAlert(rule, state, known(value), NOW)).toBe(change);
  });

  it('does nothing with what is not known, or not for certain', () => {
    for (const rule of [ABOVE, BELOW]) {
      for (const state of [CALM, SET_OFF]) {
        expect(judgeAlert(rule, state, { value: null, unknownReasons: ['unpriced'] }, NOW)).toBeNull();
        for (const value of ['0', '1000'])
          expect(judgeAlert(rule, state, { ...known(value), unknownReasons: ['source_stale'] }, NOW)).toBeNull();
      }
    }
  });

  it('is over at the latest when a share is the whole', () => {
    const rule: Rule = { ...BELOW, kind: 'share', threshold: new Decimal('0.98') };
    expect(judgeAlert(rule, SET_OFF, known('0.999'), NOW)).toBeNull();
    expect(judgeAlert(rule, SET_OFF, known('1'), NOW)).toBe('resolved');
  });

  it('is not set off again before its cooldown is over, and is then', () => {
    const cooling = { isTriggered: false, triggeredAt: NOW };
    const later = (ms: number): Date => new Date(NOW.getTime() + ms);
    expect(judgeAlert(ABOVE, cooling, known('101'), later(59_999))).toBeNull();
    expect(judgeAlert(ABOVE, cooling, known('101'), later(60_000))).toBe('triggered');
    expect(judgeAlert(ABOVE, SET_OFF, known('1'), later(1))).toBe('resolved');
  });

  it('tells of every crossing once, in turns, and never while the figure swings within the hysteresis', () => {
    const figure = fc.integer({ min: 0, max: 30_000 }).map((cents) => new Decimal(cents).div(100));
    fc.assert(
      fc.property(
        fc.constantFrom('above' as const, 'below' as const),
        fc.integer({ min: 0, max: 99 }),
        fc.array(figure, { maxLength: 50 }),
        (direction, percent, figures) => {
          const rule: Rule = {
            kind: 'price',
            direction,
            threshold: new Decimal(100),
            hysteresis: new Decimal(percent).div(100),
            cooldownSeconds: 0,
          };
          const sign = direction === 'above' ? 1 : -1;
          const over = new Decimal(100).times(new Decimal(100 - sign * percent).div(100));
          let isTriggered = false;
          for (const value of figures) {
            const change = judgeAlert(rule, { isTriggered, triggeredAt: null }, { value, unknownReasons: [] }, NOW);
            if (change === 'triggered') expect(value.minus(100).times(sign).gt(0)).toBe(true);
            if (change === 'resolved') expect(value.minus(over).times(sign).lte(0)).toBe(true);
            if (change !== null) expect(isTriggered).toBe(change === 'resolved');
            if (change !== null) isTriggered = change === 'triggered';
            else expect(isTriggered ? value.minus(over).times(sign).gt(0) : value.minus(100).times(sign).lte(0)).toBe(true);
          }
        },
      ),
    );
  });
});
