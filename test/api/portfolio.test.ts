import { describe, expect, it, vi } from 'vitest';
import { UINT256_MAX } from '../../src/domain/amount.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import type { Holding } from '../../src/domain/holding.ts';
import type { Portfolio, ValuedHolding } from '../../src/domain/portfolio.ts';
import { buildPortfolio } from '../../src/domain/portfolio-builder.ts';
import { type AssetContext, valueHolding } from '../../src/domain/valuation.ts';
import type { PortfolioQuery } from '../../src/services/portfolio-service.ts';
import {
  buildAsset,
  buildContext,
  buildHolding,
  buildPrice,
  buildSourceReport,
  buildSourceState,
  FRESH,
  MISSING_PRICE,
  NOW,
  USD,
} from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const OBSERVED = new Date(NOW.getTime() - 90_000);

function valued(holding: Partial<Holding>, context: Partial<AssetContext> = {}): ValuedHolding {
  const source = buildSourceState({ observedAt: OBSERVED });
  return valueHolding(buildHolding({ observedAt: OBSERVED, ...holding }), buildContext(context), { ...FRESH, source });
}

const huge = buildAsset({
  id: '0198a000-0000-7000-8000-000000000002',
  address: '0x0000000000000000000000000000000000000002',
  symbol: 'HUGE',
  name: null,
  decimals: 77,
  listed: false,
});
const unreadable = buildAsset({
  id: '0198a000-0000-7000-8000-000000000003',
  address: '0x0000000000000000000000000000000000000003',
  symbol: null,
  name: null,
  decimals: null,
});
const sol = buildAsset({
  id: '0198a000-0000-7000-8000-000000000004',
  chain: 'solana',
  address: null,
  standard: 'native',
  symbol: 'SOL',
  name: 'Solana',
  decimals: 9,
});
const scaled = buildAsset({
  id: '0198a000-0000-7000-8000-000000000005',
  chain: 'solana',
  address: 'XsCPL9dNWBMvFtTmwcCA5v3xWPSMEBCszbQdiLLq6aN',
  standard: 'spl-2022',
  symbol: 'SCALED',
  name: 'Scaled',
  decimals: 8,
  flags: ['scaled_ui_amount', 'pausable'],
});
const failure = { code: 'upstream_reverted', provider: 'rpc.example' } as const;

const holdings = [
  valued({ amountRaw: UINT256_MAX, asset: huge }, { price: buildPrice({ value: new Decimal('1e-30') }) }),
  valued({ amountRaw: 12_345n, asset: unreadable }, { price: MISSING_PRICE }),
  valued({ amountRaw: null, observedAt: null, block: null, error: failure }),
  valued(
    { amountRaw: 1n, asset: sol, position: 'stake', block: { number: 2n ** 60n, hash: null } },
    { price: buildPrice({ value: new Decimal('150.25'), status: 'stale', quotedAt: OBSERVED }) },
  ),
  valued(
    {
      amountRaw: 250_000_000n,
      frozenRaw: 50_000_000n,
      asset: scaled,
      block: { number: 380_000_000n, hash: null },
      ui: { amount: new Decimal('5'), multiplier: new Decimal('2') },
    },
    { price: buildPrice({ value: new Decimal('9'), status: 'quarantined', reason: 'price_jump' }) },
  ),
];

const sources = [
  buildSourceReport({
    status: 'stale',
    observedAt: OBSERVED,
    ageSeconds: 90,
    error: { code: 'upstream_timeout', provider: 'rpc.example' },
    failedAssets: [{ assetId: 'eip155:1/erc20:0xA0b8', error: failure }],
  }),
  buildSourceReport({ chain: 'solana', kind: 'stake', status: 'unsupported', observedAt: null, ageSeconds: null, block: null }),
  buildSourceReport({
    walletId: null,
    chain: null,
    kind: 'prices',
    status: 'failed',
    observedAt: null,
    ageSeconds: null,
    block: null,
    error: { code: 'quote_absurd', provider: 'defillama' },
  }),
];

function build(overrides: Partial<Parameters<typeof buildPortfolio>[0]> = {}): Portfolio {
  return buildPortfolio({
    currency: 'USD',
    fx: USD,
    now: NOW,
    holdings,
    sources,
    minValue: null,
    includeSpam: false,
    ...overrides,
  });
}

function portfolioApi(portfolio = build()) {
  const getPortfolio = vi.fn(async (_tenant: string, _query: PortfolioQuery) => portfolio);
  return { getPortfolio, api: createTestApi({ portfolio: { getPortfolio } }) };
}

describe('GET /portfolio', () => {
  it('tells everything exactly', async () => {
    const { body } = await portfolioApi().api.call('GET', '/portfolio');
    expect(body).toMatchSnapshot();
  });

  it('never rounds, and never makes a zero of what is unknown', async () => {
    const { body } = await portfolioApi().api.call('GET', '/portfolio');
    const bySymbol = (symbol: string | null) =>
      body.by_asset.find((group: { token_symbol: string | null }) => group.token_symbol === symbol);

    expect(bySymbol('HUGE').balance_raw).toBe(UINT256_MAX.toString());
    expect(bySymbol('HUGE').usd_value).toBe(
      '0.00000000000000000000000000000115792089237316195423570985008687907853269984665640564039457584007913129639935',
    );
    expect(bySymbol(null)).toMatchObject({ balance_raw: '12345', balance: null, usd_value: null, price: { value: null } });
    expect(bySymbol('USDC')).toMatchObject({
      balance_raw: null,
      balance: null,
      usd_value: null,
      balances: [{ status: 'failed' }],
    });
    expect(bySymbol('SCALED').balances[0]).toMatchObject({
      usd_value: null,
      value_reason: 'price_quarantined',
      frozen_raw: '50000000',
      ui: { amount: '5', multiplier: '2' },
    });
    expect(bySymbol('SOL').balances[0].block).toEqual({ number: null, hash: null });
    expect(body.complete).toBe(false);
    expect(JSON.stringify(body)).not.toMatch(/"-?[\d.]+e[+-]?\d+"/i);
  });

  it('has a number nowhere but in counts, ages, decimals and blocks', async () => {
    const { body } = await portfolioApi().api.call('GET', '/portfolio');
    const names = new Set<string>();
    JSON.stringify(body, (name, value) => {
      if (typeof value === 'number') names.add(name);
      return value;
    });
    expect([...names].sort()).toEqual(['age_seconds', 'decimals', 'number', 'quarantined_count', 'spam_count', 'unpriced_count']);
  });

  it('is told in another currency, or without a value when there is no rate', async () => {
    const fx = { currency: 'XAU', rate: null, source: null, quotedAt: null, status: 'missing' } as const;
    const blind = holdings.map((holding) => ({ ...holding, value: null, valueReason: 'fx_missing' as const }));
    const { api, getPortfolio } = portfolioApi(build({ currency: 'XAU', fx, holdings: blind }));
    const { body } = await api.call('GET', '/portfolio?currency=xau');
    expect(getPortfolio.mock.calls[0]?.[1].currency).toBe('XAU');
    expect(body).toMatchObject({ currency: 'XAU', total_value: null, fx: { rate: null, status: 'missing' } });
    expect(body.total_usd_value).not.toBeNull();
  });

  it.each<[string, PortfolioQuery]>([
    ['', { chains: null, walletIds: null, minValue: null, currency: 'USD', includeSpam: false }],
    [
      '?chain=base,ethereum&chain=solana',
      { chains: ['base', 'ethereum', 'solana'], walletIds: null, minValue: null, currency: 'USD', includeSpam: false },
    ],
    [
      `?wallet_id=${WALLET_ID}&min_value=0.50&include=spam`,
      { chains: null, walletIds: [WALLET_ID], minValue: '0.50', currency: 'USD', includeSpam: true },
    ],
  ])('reads the filters of "%s"', async (query, expected) => {
    const { api, getPortfolio } = portfolioApi();
    expect((await api.call('GET', `/portfolio${query}`)).status).toBe(200);
    expect(getPortfolio).toHaveBeenCalledWith('tenant', expected);
  });

  it.each([
    ['chain=', '/query/chain/0'],
    ['chain=a,,b', '/query/chain/1'],
    ['wallet_id=1', '/query/wallet_id/0'],
    ['min_value=-1', '/query/min_value'],
    ['min_value=1e5', '/query/min_value'],
    ['min_value=0x10', '/query/min_value'],
    [`min_value=${'9'.repeat(200)}`, '/query/min_value'],
    ['currency=%E2%82%AC', '/query/currency'],
    ['currency=USD&currency=EUR', '/query/currency'],
    ['include=dust', '/query/include/0'],
    ['chains=base', '/query/chains'],
  ])('refuses ?%s', async (query, pointer) => {
    const answer = await portfolioApi().api.call('GET', `/portfolio?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('is a 304 as long as only its age has changed', async () => {
    const first = await portfolioApi().api.call('GET', '/portfolio');
    expect(first.headers.etag).toMatch(/^W\/"/);
    const headers = { 'If-None-Match': first.headers.etag ?? '' };

    const aged = build({
      now: new Date(NOW.getTime() + 5_000),
      sources: sources.map((source) => ({ ...source, ageSeconds: source.ageSeconds === null ? null : source.ageSeconds + 5 })),
    });
    expect((await portfolioApi(aged).api.call('GET', '/portfolio', { headers })).status).toBe(304);

    const stale = build({ sources: sources.map((source) => ({ ...source, status: 'failed' as const })) });
    expect((await portfolioApi(stale).api.call('GET', '/portfolio', { headers })).status).toBe(200);
  });
});

describe('GET /wallets/{id}/balances', () => {
  it('lists the balances with their ages and says what is missing', async () => {
    const view = {
      walletId: WALLET_ID,
      currency: 'USD',
      holdings,
      sources,
      complete: false,
      incompleteReasons: ['unpriced' as const],
    };
    const getWalletBalances = vi.fn(async () => view);
    const answer = await createTestApi({ portfolio: { getWalletBalances } }).call(
      'GET',
      `/wallets/${WALLET_ID}/balances?chain=solana`,
    );
    expect(answer.body.balances).toHaveLength(5);
    expect(answer.body.balances[0]).toMatchObject({
      asset_id: 'eip155:1/erc20:0x0000000000000000000000000000000000000002',
      last_updated: '2026-11-21T11:58:30.000Z',
      age_seconds: 90,
      block: { number: 100, hash: '0xabc' },
      status: 'ok',
    });
    expect(answer.body).toMatchObject({ complete: false, incomplete_reasons: ['unpriced'] });
    expect(answer.body.sources).toHaveLength(3);
    expect(getWalletBalances).toHaveBeenCalledWith('tenant', WALLET_ID, expect.objectContaining({ chains: ['solana'] }));
  });

  it('takes no filter by wallet', async () => {
    const answer = await createTestApi().call('GET', `/wallets/${WALLET_ID}/balances?wallet_id=${WALLET_ID}`);
    expect(answer.status).toBe(400);
  });
});
