import type { ChangesWire } from './schemas/changes.ts';
import type { StatementWire } from './schemas/statements.ts';

/** What answers about the past look like in the docs: half an ether became three quarters of one. */
const WALLET_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a60';
const ETHER_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a61';

const NO_PARTS = {
  price: '0',
  quantity_in: '0',
  quantity_out: '0',
  internal: '0',
  trade: '0',
  income: '0',
  fees: '0',
  fx: '0',
  newly_found: '0',
  wallet_added: '0',
  wallet_removed: '0',
  source_failed: '0',
  source_back: '0',
  price_lost: '0',
  price_found: '0',
  spam_reclassified: '0',
  unexplained: '0',
};

const ETHER_PARTS = { ...NO_PARTS, price: '100', quantity_in: '832', fees: '-32' };

const ETHER = {
  chain: 'ethereum',
  token_symbol: 'ETH',
  token_name: 'Ether',
  token_address: null,
  asset_id: 'eip155:1/slip44:60',
  asset_uuid: ETHER_ID,
};

export const changesExample: ChangesWire = {
  currency: 'USD',
  from: {
    asked_at: '2026-11-20T00:00:00.000Z',
    snapshot_at: '2026-11-19T23:30:00.000Z',
    seconds_before: 1800,
    grade: 'full',
    missing_count: 0,
    missing: [],
    fx_rate: '1',
    value: '1500',
    chart_value: '1500',
    unpriced_count: 0,
  },
  to: {
    asked_at: '2026-11-21T00:00:00.000Z',
    snapshot_at: '2026-11-20T23:30:00.000Z',
    seconds_before: 1800,
    grade: 'partial',
    missing_count: 1,
    missing: [
      {
        wallet_id: WALLET_ID,
        chain: 'base',
        kind: 'balances',
        reason: 'failed',
        observed_at: '2026-11-20T21:10:05.000Z',
        code: 'upstream_timeout',
      },
    ],
    fx_rate: '1',
    value: '2400',
    chart_value: '2400',
    unpriced_count: 0,
  },
  difference: '900',
  parts: ETHER_PARTS,
  reason: null,
  groups: [
    {
      asset: { ...ETHER, start_balance: '0.5', end_balance: '0.75' },
      wallet_id: null,
      start_value: '1500',
      end_value: '2400',
      difference: '900',
      parts: ETHER_PARTS,
    },
  ],
};

const WALLET = { wallet_id: WALLET_ID, address: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045', label: 'Cold wallet' };
const TOTALS = { usd_value: '2400', value: '2088', unpriced_count: 0 };

export const statementExample: StatementWire = {
  date: '2026-11-20',
  tz: 'Europe/Berlin',
  currency: 'EUR',
  closed_at: '2026-11-20T23:00:00.000Z',
  snapshot: { at: '2026-11-20T22:30:00.000Z', grade: 'partial', seconds_before_close: 1800 },
  fx: { rate: '0.87', source: 'coingecko', quoted_at: '2026-11-20T22:12:00.000Z' },
  ...TOTALS,
  complete: false,
  excluded_count: 3,
  estimated: [
    {
      reason: 'source_missing',
      wallet_id: WALLET_ID,
      chain: 'base',
      kind: 'balances',
      asset_uuid: null,
      as_of: '2026-11-20T21:10:05.000Z',
      seconds_before_close: 6595,
    },
  ],
  holdings: [
    {
      ...WALLET,
      ...ETHER,
      position: 'wallet',
      balance_raw: '750000000000000000',
      balance: '0.75',
      block: { number: 23_850_112, hash: `0x${'3f'.repeat(32)}` },
      price: { value: '3200', source: 'defillama', quoted_at: '2026-11-20T22:28:40.000Z' },
      usd_value: '2400',
      value: '2088',
      value_reason: null,
    },
  ],
  by_asset: [{ ...ETHER, balance: '0.75', ...TOTALS }],
  by_chain: [{ chain: 'ethereum', ...TOTALS }],
  by_wallet: [{ ...WALLET, ...TOTALS }],
};
