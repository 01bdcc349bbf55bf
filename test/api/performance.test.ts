import { describe, expect, it, vi } from 'vitest';
import { Decimal } from '../../src/domain/decimal.ts';
import type { Performance, PerformanceQuery } from '../../src/services/performance/performance.ts';
import { buildAsset, NOW } from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const DAY = new Date('2026-11-20T00:00:00Z');
const ZERO = new Decimal(0);
const short = { value: null, reason: 'less_than_a_year' } as const;
const rate = (value: number) => ({ value, reason: null });
const money = (value: string) => ({ value: new Decimal(value), reason: null });
const asset = buildAsset();

const performance: Performance = {
  currency: 'EUR',
  period: '1M',
  timeZone: 'UTC',
  from: DAY,
  startsAt: DAY,
  endsAt: NOW,
  days: 1.5,
  incompleteReasons: ['unpriced', 'snapshot_partial'],
  missing: [
    { walletId: WALLET_ID, chain: 'base', kind: 'balances', reason: 'failed', observedAt: null, code: 'upstream_timeout' },
  ],
  snapshots: { full: 2, partial: 1, daysWithout: 0 },
  unpriced: [asset],
  startValue: new Decimal('0.000000000000000001'),
  endValue: new Decimal('1e-30'),
  gain: new Decimal('-12.5'),
  returns: {
    timeWeighted: rate(1e-9),
    timeWeightedAnnual: short,
    undefinedStretches: 1,
    moneyWeighted: rate(-0.5),
    moneyWeightedAnnual: short,
    isMoneyWeightedAmbiguous: true,
    modifiedDietz: { value: null, reason: 'nothing_invested' },
    simple: rate(1e21),
  },
  risk: {
    riskFreePerYear: 0.04,
    days: 1,
    volatility: { value: null, reason: 'too_few_days' },
    sharpe: { value: null, reason: 'too_few_days' },
    sortino: { value: null, reason: 'too_few_days' },
    maxDrawdown: { value: { depth: -0.25, peakAt: DAY, troughAt: NOW, recoveredAt: null }, reason: null },
    calmar: short,
    bestDay: { value: { day: DAY, rate: 0.1 }, reason: null },
    worstDay: { value: null, reason: 'too_few_days' },
  },
  flows: {
    in: new Decimal(7),
    out: new Decimal(2),
    count: 3,
    deposits: new Decimal(7),
    withdrawals: new Decimal(-2),
    ...{ unexplained: ZERO, opening: ZERO, inTransit: ZERO, trades: ZERO, revalued: ZERO, fees: ZERO, income: ZERO },
    unpricedCount: 1,
  },
  allocation: {
    byAsset: [{ key: asset, value: new Decimal(3), share: new Decimal(1) }],
    byChain: [{ key: 'ethereum', value: new Decimal(3), share: new Decimal(1) }],
    byWallet: [{ key: WALLET_ID, value: new Decimal(3), share: null }],
    concentration: { index: new Decimal(1), effectiveParts: new Decimal(1), largest: new Decimal(1) },
  },
  pnl: {
    method: 'hifo',
    assets: [
      {
        asset,
        quantity: new Decimal(2),
        cost: money('6.6'),
        value: { value: null, reason: 'unpriced' },
        unrealised: { value: null, reason: 'unpriced' },
        realised: new Decimal(10).div(3),
        fees: ZERO,
        income: ZERO,
        gain: { value: null, reason: 'unpriced' },
        gainWithoutCurrency: money('1'),
        currencyEffect: money('-1'),
        uncostedQuantity: ZERO,
        untoldQuantity: ZERO,
      },
    ],
    ...{
      realised: ZERO,
      unrealised: ZERO,
      fees: ZERO,
      income: ZERO,
      gain: ZERO,
      gainWithoutCurrency: ZERO,
      currencyEffect: ZERO,
    },
  },
  benchmark: {
    basket: [{ name: 'btc', weight: new Decimal(1) }],
    rebalancing: 'monthly',
    startsAt: DAY,
    endValue: money('5'),
    valueDifference: money('-5'),
    timeWeighted: rate(0.5),
    rateDifference: rate(-0.5),
    exhaustedAt: NOW,
    unpricedParts: [],
  },
};

function performanceApi() {
  const getPerformance = vi.fn(async (_tenant: string, _query: PerformanceQuery) => performance);
  return { getPerformance, api: createTestApi({ performance: { getPerformance } }) };
}

const PATH = '/portfolio/performance';

describe('GET /portfolio/performance', () => {
  it('tells rates as fractions without an exponent, money exactly, and why a figure is missing', async () => {
    const { body } = await performanceApi().api.call('GET', PATH);
    expect(body).toMatchObject({
      complete: false,
      incomplete_reasons: ['unpriced', 'snapshot_partial'],
      days: '1.5',
      start_value: '0.000000000000000001',
      end_value: '0.000000000000000000000000000001',
      gain: '-12.5',
      flows: { in: '7', out: '2', net: '5', count: 3, unpriced_count: 1 },
      unpriced: [{ asset_uuid: asset.id }],
      missing: [{ wallet_id: WALLET_ID, reason: 'failed' }],
    });
    expect(body.returns).toMatchObject({
      time_weighted: { value: '0.000000001', reason: null },
      time_weighted_annual: { value: null, reason: 'less_than_a_year' },
      modified_dietz: { value: null, reason: 'nothing_invested' },
      roi: { value: '1000000000000000000000', reason: null },
    });
    expect(body.risk.max_drawdown).toEqual({
      value: '-0.25',
      peak_at: DAY.toISOString(),
      trough_at: NOW.toISOString(),
      recovered_at: null,
      reason: null,
    });
    expect(body.risk.best_day).toEqual({ value: '0.1', day: '2026-11-20', reason: null });
    expect(body.pnl.assets[0].realised).toBe('3.333333333333333333333333333333');
    expect(body.benchmark).toMatchObject({ basket: [{ name: 'btc', share: '1' }], exhausted_at: NOW.toISOString() });
  });

  it('passes on what is asked for', async () => {
    const { api, getPerformance } = performanceApi();
    await api.call('GET', PATH);
    expect(getPerformance).toHaveBeenLastCalledWith('tenant', {
      period: '1M',
      from: null,
      to: null,
      timeZone: 'UTC',
      currency: 'USD',
      chains: null,
      benchmark: 'btc:50,eth:50',
      rebalancing: 'never',
      costBasis: 'fifo',
      riskFreePerYear: null,
    });
    const asked = 'from=2026-03-29&to=2026-03-30T00:00:00%2B02:00&tz=Europe/Berlin&currency=eur&chain=base,ethereum';
    await api.call('GET', `${PATH}?period=ytd&${asked}&benchmark=none&rebalance=monthly&cost_basis=average&risk_free=0.04`);
    expect(getPerformance).toHaveBeenLastCalledWith('tenant', {
      period: 'ytd',
      from: new Date('2026-03-28T23:00:00Z'),
      to: new Date('2026-03-29T22:00:00Z'),
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
      chains: ['base', 'ethereum'],
      benchmark: null,
      rebalancing: 'monthly',
      costBasis: 'average',
      riskFreePerYear: 0.04,
    });
  });

  it.each([
    ['period=2d', '/query/period'],
    ['tz=Mars/Olympus', '/query/tz'],
    ['risk_free=4', '/query/risk_free'],
    ['risk_free=-0.1', '/query/risk_free'],
    ['cost_basis=lofo', '/query/cost_basis'],
    ['rebalance=daily', '/query/rebalance'],
    ['currency=e', '/query/currency'],
    ['from=yesterday', '/query/from'],
    ['wallet_id=1', '/query/wallet_id'],
    [`benchmark=${'x'.repeat(1001)}`, '/query/benchmark'],
  ])('refuses %s', async (query, pointer) => {
    const { body, status } = await performanceApi().api.call('GET', `${PATH}?${query}`);
    expect([status, body.code, body.errors[0].pointer]).toEqual([400, 'invalid_request', pointer]);
  });
});
