import { describe, expect, it, vi } from 'vitest';
import { createAnswerCache } from '../../src/adapters/cache/answer-cache.ts';
import { createRoutes } from '../../src/api/server.ts';
import { toVersion } from '../../src/db/data-version.ts';
import { type Scope, withHeldScopes } from '../../src/domain/access.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { buildPortfolio } from '../../src/domain/portfolio-builder.ts';
import { valueHolding } from '../../src/domain/valuation.ts';
import { createAnswerService } from '../../src/services/answer-service.ts';
import { buildContext, buildHolding, buildPrice, buildSourceReport, FRESH, NOW, USD } from '../support/builders.ts';
import { buildServerDeps, ownerOf, type ServiceStubs, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';

const holding = buildHolding({ amountRaw: 1_234_567_890n });
const valued = valueHolding(holding, buildContext({ price: buildPrice({ value: new Decimal('1.5') }) }), FRESH);
const sources = [buildSourceReport()];
const parts = { currency: 'USD', fx: USD, now: NOW, holdings: [valued], sources, minValue: null, includeSpam: false };
const getPortfolio = vi.fn(async () => buildPortfolio(parts));

function apiFor(scopes: readonly Scope[], stubs: ServiceStubs = {}): TestApi {
  const authenticate = async () => ({ ...ownerOf('tenant'), keyId: 'key', scopes: withHeldScopes(scopes) });
  return createTestApi({ portfolio: { getPortfolio }, ...stubs }, { authenticate });
}

describe('a key with read:percent', () => {
  it('gets the portfolio without amounts, values, addresses and wallets', async () => {
    const { status, body } = await apiFor(['read:percent']).call('GET', '/portfolio');
    expect(status).toBe(200);
    expect(body).toMatchObject({ redacted: true, complete: true, by_asset: [{ token_symbol: 'USDC', share: '1' }] });
    expect(JSON.stringify(body)).not.toMatch(/1234|1851|0xA0b8|"value|usd|wallet|balance_raw/);
  });

  it('is not given more by a right to write', async () => {
    expect((await apiFor(['read:percent', 'write']).call('GET', '/portfolio')).body.redacted).toBe(true);
  });

  it.each<[Scope, boolean]>([
    ['read:values', false],
    ['admin', false],
  ])('is another one than one with %s', async (scope, isRedacted) => {
    const { body } = await apiFor([scope]).call('GET', '/portfolio');
    expect('redacted' in body).toBe(isRedacted);
    expect(body.total_value).toBe('1851.851835');
  });

  it('never shares a kept answer with one that sees values', async () => {
    const version = toVersion(1n, 1n);
    const feed = { knownVersion: () => version, currentVersion: async () => version, askVersion: vi.fn(), forget: vi.fn() };
    const cache = createAnswerCache({ shared: undefined, now: () => NOW.getTime(), onOutcome: () => undefined });
    const stubs = { answers: createAnswerService({ cache, feed }) };
    const read = async (scope: Scope) => {
      const { body, headers } = await apiFor([scope], stubs).call('GET', '/portfolio');
      return [body.redacted, headers['cache-status']?.split(';')[1]];
    };
    expect(await read('read:values')).toEqual([undefined, ' fwd=miss']);
    expect(await read('read:percent')).toEqual([true, ' fwd=miss']);
    expect(await read('read:percent')).toEqual([true, ' hit']);
    expect(await read('read:values')).toEqual([undefined, ' hit']);
  });

  it('gets JSON where others may have a table', async () => {
    const getHistory = async () => ({
      ...{ step: '1d' as const, timeZone: 'UTC', currency: 'EUR', generatedAt: NOW, points: [], series: [], excludedCount: 0 },
    });
    const headers = { Accept: 'text/csv' };
    const answer = await apiFor(['read:percent'], { history: { getHistory } }).call('GET', '/portfolio/history', { headers });
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.body).toMatchObject({ redacted: true, points: [] });
  });

  it.each([
    ['/portfolio', 'min_value=1', 'min_value'],
    ['/portfolio', `wallet_id=${WALLET_ID}`, 'wallet_id'],
    ['/portfolio', 'include=spam', 'include'],
    ['/portfolio/history', `wallet_id=${WALLET_ID}`, 'wallet_id'],
    ['/portfolio/history', 'series=wallet', 'series'],
    ['/portfolio/performance', 'benchmark=btc:50,eip155:1/slip44:60:50', 'benchmark'],
  ])('may not ask %s?%s', async (path, query, name) => {
    const answer = await apiFor(['read:percent']).call('GET', `${path}?${query}`);
    expect(answer.body).toMatchObject({ status: 403, code: 'forbidden', errors: [{ pointer: `/query/${name}` }] });
  });

  it('is told of a parameter that nobody may send as all are', async () => {
    const answer = await apiFor(['read:percent']).call('GET', '/portfolio?min_valu=1');
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('may use nothing else but what tells nothing of what is held', async () => {
    const api = apiFor(['read:percent']);
    const answered: string[] = [];
    for (const route of createRoutes(buildServerDeps())) {
      if (route.access === 'any_key') continue;
      const path = route.path.replaceAll(/\{\w+\}/g, WALLET_ID);
      const { status, body } = await api.call(route.method.toUpperCase() as 'GET', path);
      if (status === 403) expect(body.code).toBe('forbidden');
      else answered.push(`${route.method} ${route.path}`);
    }
    expect(answered.sort()).toEqual(['get /portfolio', 'get /portfolio/history', 'get /portfolio/performance']);
  });
});
