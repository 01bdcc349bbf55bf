import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PriceFault, type PriceServer, startPriceServer } from '../../localnet/price-server.ts';
import { createCoingeckoApi } from '../../src/adapters/coingecko/coingecko-api.ts';
import { createCoingeckoPriceSource } from '../../src/adapters/coingecko/coingecko-price-source.ts';
import { createDefillamaPriceSource } from '../../src/adapters/defillama/defillama-price-source.ts';
import type { PriceSource } from '../../src/adapters/price-source.ts';
import { createPriceStore, type PriceStore } from '../../src/db/price-store.ts';
import type { Asset } from '../../src/domain/asset.ts';
import { chains } from '../../src/domain/chains.ts';
import { createHttpClient } from '../../src/lib/http-client.ts';
import { createPriceService, type PriceService } from '../../src/services/price-service.ts';
import { hurried } from '../adapters/price-fixtures.ts';
import { addAsset } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MINUTE_MS = 60_000;
const signal = new AbortController().signal;
const http = createHttpClient();
let database: TestDatabase;
let store: PriceStore;
let server: PriceServer;
/** How far the service's clock is ahead of the machine's. */
let aheadMs: number;
let service: PriceService;

const now = (): Date => new Date(Date.now() + aheadMs);

function createService(sources: readonly PriceSource[]): PriceService {
  return createPriceService({ sources, fxSources: [], store, now, log: { warn: () => undefined } });
}

function vendors(): readonly PriceSource[] {
  const hasty = hurried(http, 300);
  const api = createCoingeckoApi({ baseUrl: server.coingeckoUrl, apiKey: 'CG-demo', http: hasty });
  return [
    createDefillamaPriceSource({ baseUrl: server.defillamaUrl, http: hasty, chains, now }),
    createCoingeckoPriceSource({ api, chains, now }),
  ];
}

/** A token that both vendors quote at this price. */
async function addPriced(digits: string): Promise<Asset> {
  const asset = await addAsset(database.db);
  setPrice(asset, digits);
  return asset;
}

function setPrice({ chain, address }: Asset, digits: string | undefined): void {
  server.setPrice(`${chain}:${address}`, digits);
}

/** What is stored of an asset, in short. */
async function read({ id }: Asset): Promise<unknown> {
  const price = (await service.getPrices([id])).get(id);
  if (price === undefined) return undefined;
  const attempts = price.attempts.map(({ source, reason }) => `${source} ${reason}`);
  return { good: price.lastGood?.value.toFixed() ?? null, suspect: price.suspect?.value.toFixed() ?? null, attempts };
}

beforeAll(async () => {
  [database, server] = await Promise.all([createTestDatabase(), startPriceServer()]);
  store = createPriceStore(database.tenants);
});
beforeEach(() => {
  aheadMs = 0;
  server.setFault('defillama', 'none');
  server.setFault('coingecko', 'none');
  service = createService(vendors());
});
afterAll(async () => {
  await server?.close();
  await http.close();
  await database?.close();
});

describe('the order of the sources', () => {
  test('is walked by each asset on its own, until one quotes it', async () => {
    const [both, none] = [await addPriced('2'), await addAsset(database.db)];
    await service.refreshPrices([both, none], signal);
    expect(await read(both)).toEqual({ good: '2', suspect: null, attempts: [] });
    expect(await read(none)).toEqual({ good: null, suspect: null, attempts: ['defillama not_quoted', 'coingecko not_quoted'] });
    expect((await service.getPrices([both.id])).get(both.id)?.lastGood?.source).toBe('defillama');
  });

  test.each<PriceFault>([
    'down',
    'hang',
    'status-500',
    'status-429',
    'html',
    'truncated',
    'old',
    'unsure',
    'value:0',
    'value:-1',
    'value:NaN',
    'value:"NaN"',
    'value:null',
    'value:1e30',
  ])('goes on when the first source sends %s', async (fault) => {
    const asset = await addPriced('2');
    server.setFault('defillama', fault);
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '2', suspect: null, attempts: [] });
    expect((await service.getPrices([asset.id])).get(asset.id)?.lastGood?.source).toBe('coingecko');
  });

  test.each<[PriceFault, string]>([
    ['down', 'source_failed'],
    ['value:0', 'quote_zero'],
    ['value:-1', 'quote_negative'],
    ['value:"NaN"', 'quote_not_a_number'],
    ['value:1e30', 'quote_absurd'],
    ['old', 'quote_too_old'],
  ])('keeps the last good price when all send %s, with the reasons', async (fault, reason) => {
    const asset = await addPriced('2');
    await service.refreshPrices([asset], signal);
    const before = (await service.getPrices([asset.id])).get(asset.id);
    server.setFault('defillama', fault);
    server.setFault('coingecko', fault);
    aheadMs = 6 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '2', suspect: null, attempts: [`defillama ${reason}`, `coingecko ${reason}`] });
    const after = (await service.getPrices([asset.id])).get(asset.id);
    expect(after?.lastGood?.quotedAt).toEqual(before?.lastGood?.quotedAt);
  });

  test('is not broken by a source that throws', async () => {
    const asset = await addPriced('2');
    const thrower: PriceSource = {
      id: 'thrower',
      supports: () => true,
      fetchPrices: () => Promise.reject(new Error('a fault of ours')),
    };
    service = createService([thrower]);
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: null, suspect: null, attempts: ['thrower source_failed'] });
    expect(service.health()).toMatchObject([{ name: 'prices:thrower', status: 'degraded', error: { code: 'internal' } }]);
    service = createService([thrower, ...vendors()]);
    aheadMs = 2 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '2', suspect: null, attempts: [] });
  });

  test('may leave an asset without any source', async () => {
    const asset = await addPriced('2');
    service = createService([]);
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: null, suspect: null, attempts: ['none no_source'] });
  });
});

describe('what a refresh costs', () => {
  test('two requests for 200 assets, and none while the prices are fresh', async () => {
    const assets = await Promise.all(Array.from({ length: 200 }, () => addPriced('2')));
    const before = server.requests.length;
    await service.refreshPrices(assets, signal);
    expect(server.requests.length - before).toBe(2);
    expect([...(await service.getPrices(assets.map(({ id }) => id))).values()].filter((price) => price.lastGood)).toHaveLength(
      200,
    );
    aheadMs = 4.9 * MINUTE_MS;
    await service.refreshPrices(assets, signal);
    expect(server.requests.length - before).toBe(2);
    aheadMs = 5.1 * MINUTE_MS;
    await service.refreshPrices(assets, signal);
    expect(server.requests.length - before).toBe(4);
  });

  test('a missing price is asked for again after one minute, and served as soon as there is one', async () => {
    const asset = await addAsset(database.db);
    await service.refreshPrices([asset], signal);
    setPrice(asset, '3');
    aheadMs = 0.9 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toMatchObject({ good: null });
    aheadMs = 1.1 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toMatchObject({ good: '3' });
  });

  test('one request for all who ask for the same asset at once', async () => {
    const [a, b, c] = [await addPriced('1'), await addPriced('2'), await addPriced('3')];
    const asked: string[][] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const [defillama] = vendors();
    if (defillama === undefined) throw new Error('no source');
    const gated: PriceSource = {
      ...defillama,
      async fetchPrices(assets, by) {
        asked.push(assets.map(({ address }) => address ?? ''));
        if (asked.length === 2) release();
        await gate;
        return defillama.fetchPrices(assets, by);
      },
    };
    service = createService([gated]);
    await Promise.all([
      service.refreshPrices([a, b], signal),
      service.refreshPrices([a, b], signal),
      service.refreshPrices([b, c], signal),
    ]);
    expect(asked.flat().toSorted()).toEqual([a.address, b.address, c.address].toSorted());
    expect([await read(a), await read(b), await read(c)]).toMatchObject([{ good: '1' }, { good: '2' }, { good: '3' }]);
  });
});

describe('a price that jumps', () => {
  /** An asset that was at 2 six minutes ago. */
  async function addSettled(): Promise<Asset> {
    const asset = await addPriced('2');
    await service.refreshPrices([asset], signal);
    aheadMs = 6 * MINUTE_MS;
    return asset;
  }

  test('is held back on one source’s word, and the last good one kept', async () => {
    const asset = await addSettled();
    server.setFault('coingecko', 'down');
    server.setFault('defillama', 'value:21');
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({
      good: '2',
      suspect: '21',
      attempts: ['defillama price_jump', 'coingecko source_failed'],
    });
  });

  test('is believed when a second source says nearly the same', async () => {
    const asset = await addSettled();
    server.setFault('defillama', 'value:21');
    server.setFault('coingecko', 'value:20.5');
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '20.5', suspect: null, attempts: [] });
  });

  test('is held back when two sources jump to different places', async () => {
    const asset = await addSettled();
    server.setFault('defillama', 'value:21');
    server.setFault('coingecko', 'value:0.01');
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({
      good: '2',
      suspect: '21',
      attempts: ['defillama price_jump', 'coingecko price_jump'],
    });
  });

  test('is outvoted by a second source that saw none', async () => {
    const asset = await addSettled();
    server.setFault('defillama', 'value:21');
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '2', suspect: null, attempts: [] });
  });

  test('stays held back while nobody answers, and is forgotten when the price comes back', async () => {
    const asset = await addSettled();
    server.setFault('coingecko', 'down');
    server.setFault('defillama', 'value:21');
    await service.refreshPrices([asset], signal);
    server.setFault('defillama', 'down');
    aheadMs = 8 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toMatchObject({ good: '2', suspect: '21' });
    server.setFault('defillama', 'value:2.5');
    aheadMs = 10 * MINUTE_MS;
    await service.refreshPrices([asset], signal);
    expect(await read(asset)).toEqual({ good: '2.5', suspect: null, attempts: [] });
  });
});

test('tells how each source did when it was last asked', async () => {
  const asset = await addPriced('2');
  expect(service.health()).toMatchObject([
    { name: 'prices:defillama', status: 'unknown', checkedAt: null },
    { name: 'prices:coingecko', status: 'unknown', checkedAt: null },
  ]);
  server.setFault('defillama', 'status-500');
  await service.refreshPrices([asset], signal);
  expect(service.health()).toMatchObject([
    { name: 'prices:defillama', status: 'degraded', error: { code: 'upstream_status', provider: 'defillama' } },
    { name: 'prices:coingecko', status: 'ok', error: null },
  ]);
  server.setFault('defillama', 'none');
  aheadMs = 6 * MINUTE_MS;
  await service.refreshPrices([asset], signal);
  expect(service.health()).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
});

test('a caller who leaves takes no price away from the others', async () => {
  const asset = await addPriced('3');
  const [left, stayed] = [AbortSignal.abort(), signal].map((one) => service.refreshPrices([asset], one));
  await expect(left).rejects.toThrow();
  await stayed;
  expect(await read(asset)).toEqual({ good: '3', suspect: null, attempts: [] });
});
