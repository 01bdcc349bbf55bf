import { describe, expect, it, vi } from 'vitest';
import { Decimal } from '../../src/domain/decimal.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { StatedHolding } from '../../src/services/history/state-holdings.ts';
import type { Statement, StatementQuery } from '../../src/services/history/statement-service.ts';
import { buildAsset } from '../support/builders.ts';
import { buildWallet, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const GONE_ID = '0198b000-0000-7000-8000-00000000dead';
const CLOSE = new Date('2026-11-20T23:00:00Z');
const asset = buildAsset({ symbol: '=HYPERLINK("http://x")' });
const total = { usdValue: new Decimal('3'), value: new Decimal('2.7'), unpricedCount: 1 };

function holding(overrides: Partial<StatedHolding> = {}): StatedHolding {
  return {
    walletId: WALLET_ID,
    asset,
    chain: 'ethereum',
    position: 'wallet',
    amountRaw: 1_500_000n,
    block: { number: 1000n, hash: '0xab' },
    amount: new Decimal('1.5'),
    price: { value: new Decimal(2), source: 'defillama', quotedAt: new Date(CLOSE.getTime() - 60_000) },
    isManual: false,
    usdValue: new Decimal(3),
    value: new Decimal('2.7'),
    valueReason: null,
    ...overrides,
  };
}

const unpriced = holding({
  walletId: GONE_ID,
  price: null,
  block: null,
  usdValue: null,
  value: null,
  valueReason: 'price_missing',
});

function statementApi(overrides: Partial<Statement> = {}) {
  const statement: Statement = {
    ...total,
    date: '2026-11-20',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    day: { start: new Date('2026-11-19T23:00:00Z'), end: CLOSE },
    snapshot: { at: new Date(CLOSE.getTime() - 90_500), grade: 'partial', missing: [] },
    rate: { perUsd: new Decimal('0.9'), source: 'coingecko', quotedAt: CLOSE },
    holdings: [holding(), unpriced],
    wallets: new Map([[WALLET_ID, buildWallet({ label: 'Cold wallet' })]]),
    byAsset: new Map([[asset.id, total]]),
    byChain: new Map([['ethereum', total]]),
    byWallet: new Map([
      [WALLET_ID, total],
      [GONE_ID, total],
    ]),
    estimates: [
      { reason: 'source_missing', walletId: GONE_ID, chain: 'ethereum', kind: 'balances', assetId: null, asOf: null },
      {
        reason: 'price_old',
        walletId: null,
        chain: 'ethereum',
        kind: null,
        assetId: asset.id,
        asOf: new Date(CLOSE.getTime() - 7_200_000),
      },
    ],
    excludedCount: 4,
    ...overrides,
  };
  const getStatement = vi.fn(async (_tenant: string, _query: StatementQuery) => statement);
  return { getStatement, api: createTestApi({ statements: { getStatement } }) };
}

const PATH = '/statements?date=2026-11-20&tz=Europe/Berlin&currency=eur';

describe('GET /statements', () => {
  it('tells the snapshot, the sums and what is estimated', async () => {
    const { api, getStatement } = statementApi();
    const { body } = await api.call('GET', PATH);
    expect(getStatement).toHaveBeenCalledWith('tenant', { date: '2026-11-20', timeZone: 'Europe/Berlin', currency: 'EUR' });
    expect(body).toMatchObject({
      closed_at: '2026-11-20T23:00:00.000Z',
      snapshot: { at: '2026-11-20T22:58:29.500Z', grade: 'partial', seconds_before_close: 90 },
      fx: { rate: '0.9', source: 'coingecko' },
      usd_value: '3',
      value: '2.7',
      unpriced_count: 1,
      excluded_count: 4,
      complete: false,
    });
    expect(body.estimated).toEqual([
      {
        reason: 'source_missing',
        wallet_id: GONE_ID,
        chain: 'ethereum',
        kind: 'balances',
        asset_uuid: null,
        as_of: null,
        seconds_before_close: null,
      },
      {
        reason: 'price_old',
        wallet_id: null,
        chain: 'ethereum',
        kind: null,
        asset_uuid: asset.id,
        as_of: '2026-11-20T21:00:00.000Z',
        seconds_before_close: 7200,
      },
    ]);
    expect(body.by_asset).toMatchObject([{ asset_uuid: asset.id, balance: '3', usd_value: '3' }]);
  });

  it('tells each holding, and has no address for a wallet that is followed no more', async () => {
    const { holdings, by_wallet: wallets } = (await statementApi().api.call('GET', PATH)).body;
    expect(holdings[0]).toMatchObject({
      wallet_id: WALLET_ID,
      address: buildWallet().address,
      label: 'Cold wallet',
      balance_raw: '1500000',
      balance: '1.5',
      block: { number: 1000, hash: '0xab' },
      price: { value: '2', source: 'defillama', quoted_at: '2026-11-20T22:59:00.000Z' },
      value_reason: null,
    });
    expect(holdings[1]).toMatchObject({
      wallet_id: GONE_ID,
      address: null,
      price: { value: null, source: null, quoted_at: null },
      usd_value: null,
      value_reason: 'price_missing',
    });
    expect(wallets).toMatchObject([{ address: buildWallet().address }, { wallet_id: GONE_ID, address: null, label: null }]);
  });

  it('is complete where nothing is estimated and all has a value', async () => {
    const { api } = statementApi({ estimates: [], unpricedCount: 0, holdings: [holding()] });
    expect((await api.call('GET', PATH)).body).toMatchObject({ complete: true, estimated: [] });
    const noRate = statementApi({ estimates: [], unpricedCount: 0, rate: null, value: null });
    expect((await noRate.api.call('GET', PATH)).body).toMatchObject({ complete: false, value: null, fx: { rate: null } });
  });

  it('is a table for those who would rather have one, with its estimates beside each holding', async () => {
    const answer = await statementApi().api.call('GET', PATH, { headers: { Accept: 'text/csv' } });
    expect(answer.headers['content-type']).toMatch(/^text\/csv/);
    const [, first, second] = String(answer.body).split('\r\n');
    expect(first).toContain(`"'=HYPERLINK(""http://x"")",wallet,1.5,1000,2,defillama`);
    expect(first).toMatch(/,3,EUR,2\.7,,price_old$/);
    expect(second).toMatch(/,,EUR,,price_missing,source_missing price_old$/);
  });

  it.each([
    ['/statements', '/query/date'],
    ['/statements?date=2026-02-30', '/query/date'],
    ['/statements?date=2026-11-20T00:00:00Z', '/query/date'],
    ['/statements?date=2026-11-20&tz=Mars/Olympus', '/query/tz'],
    ['/statements?date=2026-11-20&wallet=1', '/query/wallet'],
  ])('refuses %s', async (path, pointer) => {
    const answer = await statementApi().api.call('GET', path);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] });
  });

  it('is not found for a day before everything', async () => {
    const getStatement = async (): Promise<never> => {
      throw new AppError('snapshot_not_found', 'Nothing had been written down yet by the end of this day.');
    };
    const answer = await createTestApi({ statements: { getStatement } }).call('GET', PATH);
    expect(answer).toMatchObject({ status: 404, body: { code: 'snapshot_not_found' } });
  });
});
