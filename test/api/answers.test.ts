import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAnswerCache } from '../../src/adapters/cache/answer-cache.ts';
import { createServer } from '../../src/api/server.ts';
import { toVersion } from '../../src/db/data-version.ts';
import { AppError } from '../../src/domain/errors.ts';
import { createAnswerService } from '../../src/services/answer-service.ts';
import type { WalletBalances } from '../../src/services/portfolio-service.ts';
import { NOW } from '../support/builders.ts';
import { buildServerDeps, buildWallet, ownerOf, type ServiceStubs, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';

const PATH = `/wallets/${WALLET_ID}/balances`;
const DOWN = new AppError('database_unavailable', 'down');

const balances: WalletBalances = {
  walletId: WALLET_ID,
  currency: 'USD',
  holdings: [],
  sources: [],
  complete: true,
  incompleteReasons: [],
};

/** The API over the real cache, a clock and a feed that the test moves. */
function setup(stubs: ServiceStubs = {}) {
  let now = NOW.getTime();
  let own = 1n;
  let isDown = false;
  const tell = async () => {
    if (isDown) throw DOWN;
    return toVersion(own, 1n);
  };
  const knownVersion = () => (isDown ? undefined : toVersion(own, 1n));
  const feed = { knownVersion, currentVersion: vi.fn(tell), askVersion: vi.fn(tell), forget: vi.fn() };
  const cache = createAnswerCache({ shared: undefined, now: () => now, onOutcome: () => undefined });
  const getWalletBalances = vi.fn(async () => balances);
  const services = { portfolio: { getWalletBalances }, answers: createAnswerService({ cache, feed }), ...stubs };
  return {
    services,
    feed,
    getWalletBalances,
    pass: (ms: number) => {
      now += ms;
    },
    change: () => {
      own += 1n;
    },
    setDown: (value: boolean) => {
      isDown = value;
    },
  };
}

async function read(api: TestApi, path = PATH, headers: Record<string, string> = {}) {
  const { status, headers: got, body } = await api.call('GET', path, { headers });
  return { status, age: got.age, cacheStatus: got['cache-status'], etag: got.etag, body };
}

describe('a read', () => {
  it('tells where its answer came from and how old it is', async () => {
    const { services, pass } = setup();
    const api = createTestApi(services);
    expect(await read(api)).toMatchObject({ status: 200, age: undefined, cacheStatus: 'chainfolio; fwd=miss; stored' });
    pass(3_400);
    const hit = await read(api);
    expect(hit).toMatchObject({ status: 200, age: '3', body: { wallet_id: WALLET_ID, generated_at: NOW.toISOString() } });
    expect(hit.cacheStatus).toMatch(/^chainfolio; hit; ttl=[5-7]$/);
    pass(8_000);
    expect((await read(api)).cacheStatus).toMatch(/^chainfolio; hit; ttl=-\d$/);
  });

  it('is made anew for a new version of the data, with a tag that changes only if the answer does', async () => {
    const { services, change, getWalletBalances } = setup();
    const api = createTestApi(services);
    const first = await read(api);
    change();
    const second = await read(api);
    expect(second).toMatchObject({ cacheStatus: 'chainfolio; fwd=miss; stored', etag: first.etag });
    change();
    getWalletBalances.mockResolvedValue({ ...balances, complete: false, incompleteReasons: ['source_stale'] });
    expect((await read(api)).etag).not.toBe(first.etag);
  });

  it('is a 304 from the cache too', async () => {
    const { services, getWalletBalances } = setup();
    const api = createTestApi(services);
    const { etag = '' } = await read(api);
    const answer = await read(api, PATH, { 'If-None-Match': etag });
    expect(answer).toMatchObject({ status: 304, etag, age: '0' });
    expect(getWalletBalances).toHaveBeenCalledTimes(1);
  });

  it('is made anew on request, by what is committed and not by what was heard', async () => {
    const { services, feed, getWalletBalances } = setup();
    const api = createTestApi(services);
    await read(api);
    const fresh = await read(api, PATH, { 'Cache-Control': 'no-cache' });
    expect(fresh).toMatchObject({ status: 200, age: undefined, cacheStatus: 'chainfolio; fwd=request' });
    expect(feed.askVersion).toHaveBeenCalledTimes(1);
    expect(getWalletBalances).toHaveBeenCalledTimes(2);
  });

  it('is the same whatever the order of its parameters, and another one for other parameters', async () => {
    const { services, getWalletBalances } = setup();
    const api = createTestApi(services);
    await read(api, `${PATH}?chain=ethereum&currency=EUR`);
    expect((await read(api, `${PATH}?currency=EUR&chain=ethereum`)).age).toBe('0');
    for (const query of ['?currency=EUR', '?chain=ethereum', '', '?currency=USD&min_value=1']) {
      expect((await read(api, PATH + query)).age, query).toBeUndefined();
    }
    expect(getWalletBalances).toHaveBeenCalledTimes(5);
  });

  it('that is refused is refused each time', async () => {
    const { services, getWalletBalances } = setup();
    const api = createTestApi(services);
    for (const _ of [1, 2]) expect((await read(api, `${PATH}?curency=EUR`)).status).toBe(400);
    getWalletBalances.mockRejectedValue(new AppError('wallet_not_found', 'There is no such wallet.'));
    for (const _ of [1, 2]) expect((await read(api)).status).toBe(404);
    getWalletBalances.mockResolvedValue(balances);
    expect((await read(api)).status).toBe(200);
  });

  it('of one tenant is not for another', async () => {
    const { services, getWalletBalances } = setup();
    for (const tenant of ['a', 'b']) {
      expect((await read(createTestApi(services, { authenticate: async () => ownerOf(tenant) }))).age).toBeUndefined();
    }
    expect(getWalletBalances).toHaveBeenCalledTimes(2);
  });
});

describe('while the database does not serve', () => {
  it('fault 28: a read gets the last answer for ten minutes, marked, and then a 503', async () => {
    const { services, setDown, pass, getWalletBalances } = setup();
    const api = createTestApi(services);
    await read(api);
    setDown(true);
    getWalletBalances.mockRejectedValue(DOWN);
    pass(100_000);
    expect(await read(api)).toMatchObject({
      status: 200,
      age: '100',
      cacheStatus: expect.stringMatching(/^chainfolio; hit; ttl=-\d+; detail=database_unavailable$/),
    });
    expect((await read(api, `${PATH}?currency=EUR`)).status).toBe(503);
    pass(600_000);
    expect(await read(api)).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
  });
});

describe('a write', () => {
  it('is seen by the next read, even if it failed half-way', async () => {
    const del = vi.fn(async () => undefined);
    const { services, feed } = setup({ wallets: { delete: del, get: async () => buildWallet() } });
    const api = createTestApi(services);
    await api.call('DELETE', `/wallets/${WALLET_ID}`);
    del.mockRejectedValue(DOWN);
    expect((await api.call('DELETE', `/wallets/${WALLET_ID}`)).status).toBe(503);
    await api.call('GET', `/wallets/${WALLET_ID}`);
    expect(feed.forget).toHaveBeenCalledTimes(2);
    expect(feed.forget).toHaveBeenCalledWith('tenant');
  });
});

it('fault 44: a client that goes away spoils no answer for those who wait for the same', async () => {
  const { services, getWalletBalances } = setup();
  const loading = Promise.withResolvers<WalletBalances>();
  getWalletBalances.mockReturnValue(loading.promise);
  const authenticate = vi.fn(async () => ownerOf('tenant'));
  const server = createServer(buildServerDeps(services, { authenticate })).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/api/v1${PATH}`;
  const leaving = connect(port, '127.0.0.1');
  leaving.write(`GET /api/v1${PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await expect.poll(() => getWalletBalances.mock.calls.length).toBe(1);
  const staying = fetch(url);
  await expect.poll(() => authenticate.mock.calls.length).toBe(2);
  leaving.destroy();
  await once(leaving, 'close');
  loading.resolve(balances);
  expect((await staying).headers.get('cache-status')).toBe('chainfolio; fwd=miss; collapsed');
  expect((await fetch(url)).headers.get('cache-status')).toContain('; hit;');
  expect(getWalletBalances).toHaveBeenCalledTimes(1);
});
