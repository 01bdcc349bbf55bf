import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { addDays, dayOf, endOfDay } from '../../src/domain/history/backfill.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const PATIENCE = { timeout: 60_000, interval: 50 };
const DAYS = 32;
const TODAY = dayOf(new Date());
const FIRST = addDays(TODAY, -DAYS);
/** In the evening of the day so many days after the first one. */
const evening = (day: number): Date => new Date(endOfDay(addDays(FIRST, day)).getTime() - 3_600_000);

let chain: LocalChain;
let endpoint: FaultServer;
let database: TestDatabase;
let token: string;
let service: ServiceProcess | undefined;

beforeAll(async () => {
  [chain, database] = await Promise.all([
    startLocalChain({ chainId: 1, genesisAt: new Date(evening(0).getTime() - 3_600_000) }),
    createTestDatabase(),
  ]);
  endpoint = await startFaultServer({ upstreamUrl: chain.rpcUrl, delayMs: 15 });
  token = await chain.deploy('Token', ['string', 'string', 'uint8'], ['Token', 'TKN', 0]);
  for (let day = 0; day < DAYS; day += 1) {
    await chain.mineAt(evening(day));
    await chain.setBalance(token, ALICE, BigInt(100 + day));
  }
  await chain.mineAt(new Date());
}, 120_000);
afterAll(async () => {
  await service?.kill();
  await Promise.all([chain.stop(), endpoint.close()]);
  await database.close();
});

async function start(): Promise<ServiceProcess> {
  service = await startServiceProcess({
    environment: isolatedEnvironment({
      DATABASE_URL: database.url,
      ETHEREUM_RPC_URLS: endpoint.url(),
      PRICE_SOURCES: 'coingecko',
      RATE_LIMIT_PER_MINUTE: '0',
    }),
  });
  return service;
}

async function ask(path: string, body?: object): Promise<Body> {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return (await fetch(`${service?.url}/api/v1${path}`, init)).json();
}

it('goes on where a killed process was, and ends as if nothing had happened', async () => {
  const first = await start();
  await ask('/assets', { chain: 'ethereum', address: token });
  const { id } = await ask('/wallets', { address: ALICE });
  const path = `/wallets/${id}/backfill`;
  expect((await ask(path, { from: FIRST })).progress).toEqual({ done: 0, total: DAYS });
  await expect.poll(async () => (await ask(path)).progress.done, PATIENCE).toBeGreaterThan(0);
  await first.kill();

  await start();
  const left = await ask(path);
  expect(left.status).toBe('running');
  expect(left.progress.done).toBeLessThan(DAYS);
  // The time after which a dead process is found out.
  await sql`update backfills set lease_until = now() - interval '1 second'`.execute(database.db);
  await ask(path, { from: FIRST });
  await expect.poll(async () => (await ask(path)).status, PATIENCE).toBe('finished');
  expect(await ask(path)).toMatchObject({
    progress: { done: DAYS, total: DAYS },
    unpriced_count: DAYS,
    chains: [{ status: 'ok', reached: FIRST }],
  });
  const { rows } = await sql<{ amount_raw: string; price: string | null }>`
    select d.amount_raw, d.price from asset_days d join assets a on a.id = d.asset_id
    where a.address = ${token} order by d.bucket`.execute(database.db);
  expect(rows).toEqual(Array.from({ length: DAYS }, (_, day) => ({ amount_raw: String(100 + day), price: null })));
  // Without a price a day is worth nothing that could be told.
  const { points } = await ask(`/portfolio/history?from=${FIRST}&to=${TODAY}&interval=1d`);
  expect(points).toHaveLength(DAYS);
  expect(points.every((point: Body) => point.unpriced_count === 1 && point.complete === false)).toBe(true);
}, 180_000);
