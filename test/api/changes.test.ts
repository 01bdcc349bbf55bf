import { describe, expect, it, vi } from 'vitest';
import { Decimal } from '../../src/domain/decimal.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { MissingSource } from '../../src/domain/history/snapshot.ts';
import { CHANGE_PARTS } from '../../src/domain/history/value-changes.ts';
import type { Changes, ChangesEnd, ChangesQuery } from '../../src/services/history/changes-service.ts';
import { buildAsset, NOW } from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const missing: MissingSource = {
  walletId: WALLET_ID,
  chain: 'ethereum',
  kind: 'balances',
  reason: 'failed',
  observedAt: null,
  code: 'upstream_timeout',
};

function end(overrides: Partial<ChangesEnd> = {}): ChangesEnd {
  return {
    asked: NOW,
    snapshot: { at: new Date(NOW.getTime() - 90_500), grade: 'partial', missing: [missing] },
    missing: [missing],
    perUsd: new Decimal('0.9'),
    value: new Decimal('1e-30'),
    chartValue: new Decimal('2'),
    unpricedCount: 1,
    ...overrides,
  };
}

const opening = end({ snapshot: null, missing: [], value: new Decimal(0), chartValue: new Decimal(0), unpricedCount: 0 });
const parts = new Map([
  ['price', new Decimal('-0.5')],
  ['fees', new Decimal('1.5')],
] as const);
const change = { start: new Decimal(0), end: new Decimal(1), parts };

function changesApi(overrides: Partial<Changes> = {}) {
  const changes: Changes = {
    currency: 'EUR',
    start: opening,
    end: end(),
    total: change,
    groups: [
      { ...change, walletId: null, asset: { asset: buildAsset(), startRaw: 0n, endRaw: 1_500_000n } },
      { ...change, walletId: null, asset: { asset: buildAsset({ decimals: null }), startRaw: 1n, endRaw: 2n } },
      { ...change, walletId: WALLET_ID, asset: null },
    ],
    ...overrides,
  };
  const explain = vi.fn(async (_tenant: string, _query: ChangesQuery) => changes);
  return { explain, api: createTestApi({ changes: { explain } }) };
}

const PATH = '/portfolio/changes?from=2026-11-20T00:00:00Z';

describe('GET /portfolio/changes', () => {
  it('tells both ends, the difference and every part of it', async () => {
    const { body } = await changesApi().api.call('GET', PATH);
    expect(body).toMatchObject({ currency: 'EUR', difference: '1', reason: null });
    expect(Object.keys(body.parts).sort()).toEqual([...CHANGE_PARTS].sort());
    expect(body.parts).toMatchObject({ price: '-0.5', fees: '1.5', quantity_in: '0' });
    expect(body.from).toMatchObject({ snapshot_at: null, seconds_before: null, grade: null, value: '0', missing: [] });
    expect(body.to).toEqual({
      asked_at: '2026-11-21T12:00:00.000Z',
      snapshot_at: '2026-11-21T11:58:29.500Z',
      seconds_before: 90,
      grade: 'partial',
      missing_count: 1,
      missing: [
        {
          wallet_id: WALLET_ID,
          chain: 'ethereum',
          kind: 'balances',
          reason: 'failed',
          observed_at: null,
          code: 'upstream_timeout',
        },
      ],
      fx_rate: '0.9',
      value: '0.000000000000000000000000000001',
      chart_value: '2',
      unpriced_count: 1,
    });
  });

  it('tells assets and wallets apart', async () => {
    const { groups } = (await changesApi().api.call('GET', PATH)).body;
    expect(groups[0]).toMatchObject({ wallet_id: null, asset: { start_balance: '0', end_balance: '1.5' }, difference: '1' });
    expect(groups[1].asset).toMatchObject({ start_balance: null, end_balance: null });
    expect(groups[2]).toMatchObject({ wallet_id: WALLET_ID, asset: null, start_value: '0', end_value: '1' });
  });

  it('has no difference where a rate is not known, and says so', async () => {
    const { api } = changesApi({ total: null, groups: [], end: end({ perUsd: null, value: null, chartValue: null }) });
    const { body } = await api.call('GET', PATH);
    expect(body).toMatchObject({ difference: null, parts: null, reason: 'fx_missing', to: { value: null, fx_rate: null } });
  });

  it('cuts a very long list of what was missing, and counts it', async () => {
    const { api } = changesApi({ end: end({ missing: Array.from({ length: 150 }, () => missing) }) });
    const { to } = (await api.call('GET', PATH)).body;
    expect([to.missing_count, to.missing.length]).toEqual([150, 100]);
  });

  it('asks for what the query says', async () => {
    const { api, explain } = changesApi();
    await api.call(
      'GET',
      `/portfolio/changes?from=2026-11-01&to=2026-11-20T06:00:00%2B01:00&tz=Europe/Berlin&currency=eur&wallet_id=${WALLET_ID}&chain=ethereum,base&asset_id=eip155:1/slip44:60&group_by=wallet`,
    );
    expect(explain).toHaveBeenCalledWith('tenant', {
      from: new Date('2026-10-31T23:00:00Z'),
      to: new Date('2026-11-20T05:00:00Z'),
      currency: 'EUR',
      walletIds: [WALLET_ID],
      chains: ['ethereum', 'base'],
      assetIds: ['eip155:1/slip44:60'],
      groupBy: 'wallet',
    });
    await api.call('GET', PATH);
    expect(explain).toHaveBeenLastCalledWith('tenant', expect.objectContaining({ to: null, walletIds: null, groupBy: 'asset' }));
  });

  it.each([
    ['/portfolio/changes', '/query/from'],
    ['/portfolio/changes?from=yesterday', '/query/from'],
    ['/portfolio/changes?from=2026-11-20T00:00:00', '/query/from'],
    [`${PATH}&to=2026-02-30`, '/query/to'],
    [`${PATH}&group_by=chain`, '/query/group_by'],
    [`${PATH}&tz=Mars/Olympus`, '/query/tz'],
    [`${PATH}&currency=E1`, '/query/currency'],
    [`${PATH}&until=now`, '/query/until'],
  ])('refuses %s', async (path, pointer) => {
    const answer = await changesApi().api.call('GET', path);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] });
  });

  it('is not found where nothing had been written down', async () => {
    const explain = async (): Promise<never> => {
      throw new AppError('snapshot_not_found', 'Nothing had been written down yet by the end of this time.');
    };
    const answer = await createTestApi({ changes: { explain } }).call('GET', PATH);
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({ code: 'snapshot_not_found' });
  });
});
