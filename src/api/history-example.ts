import type { HistoryPointWire, HistoryWire } from './schemas/history.ts';

const POINT: HistoryPointWire = {
  from: '2026-11-19T23:00:00.000Z',
  to: '2026-11-20T23:00:00.000Z',
  at: '2026-11-20T22:05:00.123Z',
  value: '1620.25',
  usd_value: '1800.5',
  value_reason: null,
  complete: true,
  carried_forward: false,
  unfinished: false,
  unpriced_count: 0,
  missing_count: 0,
  missing: [],
};

/** Two days of half an ether: one that is over, and today, while the chain does not answer. */
export const historyExample: HistoryWire = {
  currency: 'EUR',
  interval: '1d',
  tz: 'Europe/Berlin',
  generated_at: '2026-11-21T12:00:00.000Z',
  excluded_count: 1,
  points: [
    POINT,
    {
      ...POINT,
      from: '2026-11-20T23:00:00.000Z',
      to: '2026-11-21T23:00:00.000Z',
      at: '2026-11-21T11:05:00.456Z',
      complete: false,
      unfinished: true,
      missing_count: 1,
      missing: [
        {
          wallet_id: '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a60',
          chain: 'ethereum',
          kind: 'balances',
          reason: 'stale',
          observed_at: '2026-11-20T22:04:30.000Z',
          code: 'upstream_timeout',
        },
      ],
    },
  ],
  series: [],
};
