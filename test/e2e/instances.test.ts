import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type PriceServer, startPriceServer } from '../../localnet/price-server.ts';
import { compose, type Service } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { request } from '../support/request.ts';
import { isolatedEnvironment } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const PORTFOLIO = '/api/v1/portfolio';
const PATIENCE = { timeout: 10_000, interval: 5 };

type Instance = { readonly url: string; readonly service: Service };

// Two instances of the service on one database and one Redis.
let database: TestDatabase;
let chain: LocalChain;
let prices: PriceServer;
let redis: RedisServer;
let one: Instance;
let other: Instance;
beforeAll(async () => {
  [database, chain, prices, redis] = await Promise.all([
    createTestDatabase(),
    startLocalChain({ chainId: 1 }),
    startPriceServer(),
    startRedisServer(),
  ]);
  prices.setPrice('coingecko:ethereum', '1000');
  [one, other] = await Promise.all([start(), start()]);
  await chain.setNative(ALICE, 10n ** 18n);
  await request(one.url).post('/api/v1/wallets').send({ address: ALICE, chain: 'ethereum' }).expect(201);
  await refresh(one);
});
afterAll(async () => {
  redis.thaw();
  await Promise.all([one.service.stop(), other.service.stop()]);
  await Promise.all([database.close(), chain.stop(), prices.close(), redis.close()]);
});

async function start(): Promise<Instance> {
  const service = await compose(
    loadConfig(
      isolatedEnvironment({
        LOG_LEVEL: 'silent',
        DATABASE_URL: database.url,
        REDIS_CACHE_URL: redis.url,
        ETHEREUM_RPC_URLS: chain.rpcUrl,
        DEFILLAMA_URL: prices.defillamaUrl,
        EMBEDDED_WORKER: 'false',
        RATE_LIMIT_PER_MINUTE: '0',
      }),
    ),
  );
  return { service, url: (await service.start()).url };
}

async function refresh({ url }: Instance): Promise<void> {
  const { body } = await request(url).post('/api/v1/portfolio/refresh').set('Prefer', 'wait=60').send({}).expect(200);
  expect(body).toMatchObject({ status: 'finished' });
}

async function read({ url }: Instance): Promise<{ total: string; cacheStatus: string; body: Body }> {
  const { body, headers } = await request(url).get(PORTFOLIO).expect(200);
  return { total: body.total_value, cacheStatus: headers['cache-status'] ?? '', body };
}

/** Asks without pause until `isOver`; answers with every total that was told, in order. */
async function watch(instance: Instance, isOver: () => boolean): Promise<readonly string[]> {
  const totals: string[] = [];
  while (!isOver()) totals.push((await read(instance)).total);
  return totals;
}

let holding = 1n;
/** Changes what Alice holds, refreshes by one instance, and answers with the new total. */
async function change(by: Instance): Promise<string> {
  holding += 1n;
  await chain.setNative(ALICE, holding * 10n ** 18n);
  await refresh(by);
  return `${holding}000`;
}

describe('two instances', () => {
  it('share what one of them made', async () => {
    const total = (await read(one)).total;
    await expect.poll(async () => (await read(other)).cacheStatus, PATIENCE).toContain('; hit;');
    expect((await read(other)).total).toBe(total);
  });

  it('give out no answer from before a refresh once it has landed', async () => {
    for (let round = 0; round < 5; round++) {
      const [by, elsewhere] = round % 2 === 0 ? [one, other] : [other, one];
      const total = await change(by);
      // The instance that was asked shows it at once, the other one when the database has told it so, a matter of milliseconds.
      expect((await read(by)).total).toBe(total);
      await expect.poll(async () => (await read(elsewhere)).total, PATIENCE).toBe(total);
      for (const instance of [one, other, one, other]) expect((await read(instance)).total).toBe(total);
    }
  });

  it('never go back to an older answer under load', async () => {
    let isOver = false;
    const watchers = [one, other, one, other].map((instance) => watch(instance, () => isOver));
    const totals: string[] = [];
    for (let round = 0; round < 6; round++) totals.push(await change(round % 2 === 0 ? one : other));
    await expect.poll(async () => (await read(other)).total, PATIENCE).toBe(totals.at(-1));
    isOver = true;
    for (const told of await Promise.all(watchers)) {
      const numbers = told.map(Number);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it('show a wallet that was added or taken away at once where that was done', async () => {
    const address = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
    const { body } = await request(one.url).post('/api/v1/wallets').send({ address, chain: 'ethereum' }).expect(201);
    expect((await read(one)).body.complete).toBe(false);
    await request(other.url).delete(`/api/v1/wallets/${body.id}`).expect(204);
    expect((await read(other)).body.complete).toBe(true);
    await expect.poll(async () => (await read(one)).body.complete, PATIENCE).toBe(true);
  });

  it('answer right whatever Redis does, and no slower for long', async () => {
    redis.freeze();
    const frozen = await change(one);
    await expect.poll(async () => (await read(other)).total, PATIENCE).toBe(frozen);
    const startedAt = performance.now();
    for (let index = 0; index < 100; index++) {
      await request(one.url).get(`${PORTFOLIO}?min_value=0.${index}1`).expect(200);
    }
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    redis.thaw();
    await redis.kill();
    const dead = await change(other);
    await expect.poll(async () => (await read(one)).total, PATIENCE).toBe(dead);
    await redis.restart();
    await redis.admin.flushall();
    for (const instance of [one, other]) expect((await read(instance)).total).toBe(dead);
    const back = await change(one);
    const store = async (): Promise<number> => {
      await request(one.url).get(PORTFOLIO).set('Cache-Control', 'no-cache').expect(200);
      return redis.admin.dbsize();
    };
    await expect.poll(store, PATIENCE).toBeGreaterThan(0);
    await expect.poll(async () => (await read(other)).total, PATIENCE).toBe(back);
  });
});
