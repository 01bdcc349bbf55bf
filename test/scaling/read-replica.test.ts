import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Service } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type PostgresReplica, startPostgresReplica } from '../support/postgres-replica.ts';
import { request } from '../support/request.ts';
import { isolatedEnvironment } from '../support/service-process.ts';
import type { Body } from '../support/test-stack.ts';

const PATIENCE = { timeout: 30_000, interval: 50 };
const FRESH = { 'Cache-Control': 'no-cache' };

let primary: PostgresCluster;
let replica: PostgresReplica;
let service: Service;
let url: string;
beforeAll(async () => {
  primary = await startPostgresCluster();
  replica = await startPostgresReplica(primary);
  service = await compose(
    loadConfig(
      isolatedEnvironment({
        LOG_LEVEL: 'silent',
        DATABASE_URL: primary.url,
        DATABASE_REPLICA_URL: replica.url,
        EMBEDDED_WORKER: 'false',
        RATE_LIMIT_PER_MINUTE: '0',
      }),
    ),
  );
  ({ url } = await service.start());
}, 120_000);
afterAll(async () => {
  await service.stop();
  await replica.close();
  await primary.close();
});

async function get(path: string): Promise<Body> {
  return (await request(url).get(`/api/v1${path}`).set(FRESH).expect(200)).body;
}

/** Statements that the replica was asked so far. */
async function replicaQueries(): Promise<number> {
  const { text } = await request(url).get('/metrics').expect(200);
  const counts = text.matchAll(/^database_query_duration_seconds_count\{pool="replica",outcome="ok"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

let added = 0;
async function addWallet(): Promise<string> {
  added += 1;
  const address = `0x${added.toString(16).padStart(40, '0')}`;
  const { body } = await request(url).post('/api/v1/wallets').send({ address, chain: 'ethereum' }).expect(201);
  return body.id;
}

const ids = (body: Body): string[] => body.wallets.map((wallet: Body) => wallet.id);
const walletsOf = (portfolio: Body): string[] => portfolio.sources.map((source: Body) => source.wallet_id);
/** One statement tells how far the replica is; an answer takes more, after a change that makes all that was read before worthless. */
async function expectReadFromReplica(path: string): Promise<void> {
  const [wallet] = (await get('/wallets')).wallets;
  await expect
    .poll(async () => {
      const before = await replicaQueries();
      await request(url)
        .patch(`/api/v1/wallets/${wallet.id}`)
        .send({ label: String(before) })
        .expect(200);
      await get(path);
      return (await replicaQueries()) - before;
    }, PATIENCE)
    .toBeGreaterThan(1);
}

describe('a service with a read replica', () => {
  it('reads portfolios, balances and lists from it', async () => {
    const id = await addWallet();
    for (const path of ['/portfolio', `/wallets/${id}/balances`, '/wallets', '/assets']) await expectReadFromReplica(path);
    expect(ids(await get('/wallets'))).toContain(id);
  });

  it('shows every write at once, however far the replica is', async () => {
    await replica.pauseReplay();
    const id = await addWallet();
    expect(ids(await get('/wallets'))).toContain(id);
    expect(walletsOf(await get('/portfolio'))).toContain(id);
    await replica.resumeReplay();
    await expectReadFromReplica('/portfolio');
    expect(walletsOf(await get('/portfolio'))).toContain(id);
  });

  it('fails no read when it is gone, and reads from it when it is back', async () => {
    await replica.stop();
    const id = await addWallet();
    for (let index = 0; index < 20; index++) expect(ids(await get('/wallets'))).toContain(id);
    await replica.start();
    await expectReadFromReplica('/wallets');
  });

  it('reads on from it while the primary is gone', async () => {
    await expectReadFromReplica('/wallets');
    await primary.stopFast();
    const { body } = await request(url).get('/api/v1/portfolio').expect(200);
    expect(walletsOf(body).length).toBeGreaterThan(0);
    // An answer that was never given out before.
    await request(url).get('/api/v1/portfolio?currency=EUR').expect(200);
    await request(url)
      .post('/api/v1/wallets')
      .send({ address: `0x${'f'.repeat(40)}` })
      .expect(503);
    await primary.start();
    await expect.poll(async () => (await request(url).get('/api/v1/portfolio').set(FRESH)).status, PATIENCE).toBe(200);
  });
});
