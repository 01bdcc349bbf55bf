import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readLocalTime } from '../../../src/domain/ledger/local-time.ts';

it.each([
  ['2026-07-01 12:00:00', 'Europe/Berlin', '2026-07-01T10:00:00.000Z'],
  ['2026-01-01T12:00', 'Europe/Berlin', '2026-01-01T11:00:00.000Z'],
  ['2026-01-01 12:00:00.5', 'Asia/Kathmandu', '2026-01-01T06:15:00.500Z'],
  ['2024-02-29 23:59:59', 'America/New_York', '2024-03-01T04:59:59.000Z'],
  ['2026-03-29 02:30:00+01:00', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
  ['2026-01-01T12:00:00Z', 'Pacific/Apia', '2026-01-01T12:00:00.000Z'],
])('reads %s in %s', (text, zone, expected) => {
  expect(readLocalTime(text, zone)).toEqual(new Date(expected));
});

it.each([
  ['2026-03-29 02:30:00', 'Europe/Berlin', 'nonexistent_time'],
  ['2025-10-26 02:30:00', 'Europe/Berlin', 'ambiguous_time'],
  ['2026-03-08 02:00:00', 'America/New_York', 'nonexistent_time'],
  ['2011-12-30 12:00:00', 'Pacific/Apia', 'nonexistent_time'],
  ['2026-02-29 12:00:00', 'UTC', 'invalid_time'],
  ['2026-01-01 24:00:00', 'UTC', 'invalid_time'],
  ['2026-01-01', 'UTC', 'invalid_time'],
  ['01/02/2026 12:00', 'UTC', 'invalid_time'],
  ['2026-01-01 12:00:00+25:00', 'UTC', 'invalid_time'],
  ['', 'UTC', 'invalid_time'],
])('finds that %s in %s is no one moment', (text, zone, fault) => {
  expect(readLocalTime(text, zone)).toBe(fault);
});

it('reads back any moment with its offset', () => {
  const moment = fc.date({ min: new Date('2009-01-01'), max: new Date('2099-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moment, (date) => {
      expect(readLocalTime(date.toISOString(), 'Europe/Berlin')).toEqual(date);
    }),
  );
});
