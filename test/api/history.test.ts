import { describe, expect, it, vi } from 'vitest';
import { createAnswerCache } from '../../src/adapters/cache/answer-cache.ts';
import { toVersion } from '../../src/db/data-version.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { createAnswerService } from '../../src/services/answer-service.ts';
import type { HistoryPoint } from '../../src/services/history/history-points.ts';
import type { HistoryQuery } from '../../src/services/history/history-query.ts';
import type { History } from '../../src/services/history/history-service.ts';
import { buildAsset, NOW } from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const DAY_MS = 86_400_000;

function point(overrides: Partial<HistoryPoint> = {}): HistoryPoint {
  return {
    start: new Date(NOW.getTime() - DAY_MS),
    end: NOW,
    at: new Date(NOW.getTime() - 1000),
    usdValue: new Decimal('1e-30'),
    value: new Decimal('-0.5'),
    valueReason: null,
    complete: true,
    carriedForward: false,
    isUnfinished: false,
    unpricedCount: 0,
    missing: [],
    ...overrides,
  };
}

const unknown = point({ at: null, usdValue: null, value: null, valueReason: 'no_snapshot', complete: false });
const nasty = buildAsset({ symbol: '=HYPERLINK("http://x")' });

function historyApi(overrides: Partial<History> = {}) {
  const history: History = {
    step: '1d',
    timeZone: 'UTC',
    currency: 'EUR',
    generatedAt: NOW,
    points: [point(), unknown],
    series: [{ asset: nasty, walletId: null, points: [point()] }],
    excludedCount: 2,
    ...overrides,
  };
  const getHistory = vi.fn(async (_tenant: string, _query: HistoryQuery) => history);
  return { getHistory, api: createTestApi({ history: { getHistory } }) };
}

const PATH = '/portfolio/history';
const get = (accept: string, query = '') => historyApi().api.call('GET', PATH + query, { headers: { Accept: accept } });

describe('GET /portfolio/history', () => {
  it('tells each interval exactly, and why a value is not known', async () => {
    const { body } = await historyApi().api.call('GET', PATH);
    expect(body).toMatchObject({ currency: 'EUR', interval: '1d', tz: 'UTC', excluded_count: 2 });
    expect(body.points[0]).toEqual({
      from: '2026-11-20T12:00:00.000Z',
      to: '2026-11-21T12:00:00.000Z',
      at: '2026-11-21T11:59:59.000Z',
      value: '-0.5',
      usd_value: '0.000000000000000000000000000001',
      value_reason: null,
      complete: true,
      carried_forward: false,
      unfinished: false,
      unpriced_count: 0,
      missing_count: 0,
      missing: [],
    });
    expect(body.points[1]).toMatchObject({
      at: null,
      value: null,
      usd_value: null,
      value_reason: 'no_snapshot',
      complete: false,
    });
    expect(body.series[0].asset).toMatchObject({ asset_uuid: nasty.id, token_symbol: '=HYPERLINK("http://x")' });
  });

  it('names what was missing, and counts it where the list is cut', async () => {
    const missing = Array.from({ length: 150 }, () => ({
      walletId: WALLET_ID,
      chain: 'ethereum',
      kind: 'balances' as const,
      reason: 'stale' as const,
      observedAt: NOW,
      code: 'upstream_timeout' as const,
    }));
    const { body } = await historyApi({ points: [point({ missing })] }).api.call('GET', PATH);
    expect(body.points[0].missing_count).toBe(150);
    expect(body.points[0].missing).toHaveLength(100);
    expect(body.points[0].missing[0]).toEqual({
      wallet_id: WALLET_ID,
      chain: 'ethereum',
      kind: 'balances',
      reason: 'stale',
      observed_at: NOW.toISOString(),
      code: 'upstream_timeout',
    });
    const points = Array.from({ length: 2000 }, () => point({ missing }));
    const long = await historyApi({ points, series: [] }).api.call('GET', PATH);
    expect(long.body.points.at(-1)).toMatchObject({ missing_count: 150 });
    expect(long.body.points.at(-1).missing).toHaveLength(10);
  });

  it.each<[string, Partial<HistoryQuery>]>([
    ['', { from: null, to: null, step: null, timeZone: 'UTC', currency: 'USD', series: 'total', fill: 'none' }],
    ['?from=2026-11-01T00:00:00%2B01:00&interval=1M', { from: new Date('2026-10-31T23:00:00Z'), step: '1M' }],
    ['?from=2026-11-01&tz=Europe/Berlin&currency=eur', { from: new Date('2026-10-31T23:00:00Z'), currency: 'EUR' }],
    ['?to=2026-03-08&tz=Asia/Kathmandu', { to: new Date('2026-03-07T18:15:00Z') }],
    ['?to=2011-12-30&tz=Pacific/Apia', { to: new Date('2011-12-30T10:00:00Z') }],
    [
      `?asset_id=eip155:1/slip44:60,solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:abc&wallet_id=${WALLET_ID}&chain=base`,
      {
        assetIds: ['eip155:1/slip44:60', 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:abc'],
        walletIds: [WALLET_ID],
        chains: ['base'],
      },
    ],
    ['?series=asset&fill=previous', { series: 'asset', fill: 'previous' }],
  ])('reads "%s"', async (query, expected) => {
    const { api, getHistory } = historyApi();
    expect((await api.call('GET', PATH + query)).status).toBe(200);
    expect(getHistory).toHaveBeenCalledWith('tenant', expect.objectContaining(expected));
  });

  it.each([
    ['from=yesterday', '/query/from'],
    ['from=2026-11-21T12:00:00', '/query/from'],
    ['from=2026-02-29', '/query/from'],
    ['to=2026-13-01', '/query/to'],
    ['interval=2h', '/query/interval'],
    ['interval=1m', '/query/interval'],
    ['tz=Mars/Olympus', '/query/tz'],
    ['tz=%2B02:00', '/query/tz'],
    ['tz=', '/query/tz'],
    [`tz=${'x'.repeat(100)}`, '/query/tz'],
    ['currency=%E2%82%AC', '/query/currency'],
    ['wallet_id=1', '/query/wallet_id/0'],
    [`asset_id=${'x'.repeat(300)}`, '/query/asset_id/0'],
    ['asset_id=<x>', '/query/asset_id/0'],
    ['fill=zero', '/query/fill'],
    ['series=chain', '/query/series'],
    ['period=1y', '/query/period'],
  ])('refuses ?%s', async (query, pointer) => {
    const answer = await historyApi().api.call('GET', `${PATH}?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});

describe('a table of it', () => {
  it('has a line for each point of the total and of each series, with nothing that a spreadsheet would run', async () => {
    const answer = await get('text/csv');
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(String(answer.body).split('\r\n')).toEqual([
      'series,wallet_id,asset_id,token_symbol,from,to,at,currency,value,usd_value,value_reason,complete,carried_forward,unfinished,unpriced_count,missing_count',
      'total,,,,2026-11-20T12:00:00.000Z,2026-11-21T12:00:00.000Z,2026-11-21T11:59:59.000Z,EUR,-0.5,0.000000000000000000000000000001,,true,false,false,0,0',
      'total,,,,2026-11-20T12:00:00.000Z,2026-11-21T12:00:00.000Z,,EUR,,,no_snapshot,false,false,false,0,0',
      `asset,,eip155:1/erc20:${nasty.address},"'=HYPERLINK(""http://x"")",2026-11-20T12:00:00.000Z,2026-11-21T12:00:00.000Z,2026-11-21T11:59:59.000Z,EUR,-0.5,0.000000000000000000000000000001,,true,false,false,0,0`,
      '',
    ]);
  });

  it.each([
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['text/csv', 'text/csv'],
    ['text/*', 'text/csv'],
    ['text/csv; header=present', 'text/csv'],
    ['text/html, text/csv;q=0.5, application/json;q=0.4', 'text/csv'],
    ['text/csv;q=0.4, application/json;q=0.5', 'application/json'],
    ['text/csv, application/json;q=0.9, */*;q=0.1', 'text/csv'],
    ['application/json;q=0, */*', 'text/csv'],
  ])('for "%s" it is %s', async (accept, type) => {
    const answer = await get(accept);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain(type);
    expect(answer.headers.vary).toBe('Accept');
  });

  it.each(['text/html', 'application/json;q=0, text/csv;q=0', 'image/*'])('"%s" is not to be had', async (accept) => {
    const { api, getHistory } = historyApi();
    const answer = await api.call('GET', PATH, { headers: { Accept: accept } });
    expect(answer.status).toBe(406);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.headers.vary).toBe('Accept');
    expect(answer.body.code).toBe('not_acceptable');
    expect(getHistory).not.toHaveBeenCalled();
  });

  it('has a tag of its own, and a problem is no table', async () => {
    const [json, csv] = [await get('application/json'), await get('text/csv')];
    expect(csv.headers.etag).not.toBe(json.headers.etag);
    const headers = { Accept: 'text/csv', 'If-None-Match': csv.headers.etag ?? '' };
    const again = await historyApi().api.call('GET', PATH, { headers });
    expect(again.status).toBe(304);
    expect(again.headers.vary).toBe('Accept');
    const refused = await get('text/csv', '?interval=2h');
    expect(refused.headers['content-type']).toContain('application/problem+json');
  });

  it('is kept apart from the JSON', async () => {
    const knownVersion = () => toVersion(1n, 1n);
    const feed = { knownVersion, currentVersion: vi.fn(), askVersion: vi.fn(), forget: vi.fn() };
    const cache = createAnswerCache({ shared: undefined, now: () => NOW.getTime(), onOutcome: () => undefined });
    feed.currentVersion.mockResolvedValue(knownVersion());
    const { getHistory } = historyApi();
    const api = createTestApi({ history: { getHistory }, answers: createAnswerService({ cache, feed }) });
    const read = async (accept: string) => {
      const { headers } = await api.call('GET', PATH, { headers: { Accept: accept } });
      return [headers['content-type']?.split(';')[0], headers['cache-status']?.split(';')[1]];
    };
    expect(await read('text/csv')).toEqual(['text/csv', ' fwd=miss']);
    expect(await read('application/json')).toEqual(['application/json', ' fwd=miss']);
    expect(await read('text/csv')).toEqual(['text/csv', ' hit']);
    expect(await read('*/*')).toEqual(['application/json', ' hit']);
    expect(getHistory).toHaveBeenCalledTimes(2);
  });
});
