import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startServiceProcess } from '../support/service-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { Body } from '../support/test-stack.ts';
import { ALICE, balanceOf, call, createWorld, type Gate, PATIENCE, startGatedChain } from './jobs-world.ts';

let gate: Gate;
beforeAll(async () => {
  gate = await startGatedChain();
});
afterAll(() => gate?.close());

describe('fault 37: a process dies in the middle', () => {
  it('fault 37: a worker that is killed while it reads leaves the wallets to another', async () => {
    gate.open();
    const { start } = await createWorld(gate);
    const [api, doomed] = [await start('main'), await start()];
    gate.shut();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    await start();
    await doomed.kill();
    gate.open();
    await expect.poll(() => balanceOf(api), { ...PATIENCE, timeout: 150_000 }).toBe('1');
  }, 240_000);

  it('fault 37: a refresh whose process is killed is finished by a worker, and the one who asked for it sees that', async () => {
    gate.open();
    const { start } = await createWorld(gate, { REFRESH_INTERVAL_SECONDS: '86400' });
    const [doomed, api] = [await start('main'), await start('main')];
    await call(doomed, 'POST', '/wallets', { address: ALICE });
    gate.shut();
    const { id, status } = await call(doomed, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=0' });
    expect(status).toBe('running');
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    await doomed.kill();
    gate.open();
    await start();
    // Joins the same refresh, and waits for its end in another process.
    const joined = await call(api, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=60' });
    expect(joined).toMatchObject({ id, status: 'finished', progress: { done: 1, total: 1 } });
    expect(joined.sources[0].status).toBe('ok');
    expect(await balanceOf(api)).toBe('1');
  }, 180_000);

  it('fault 37: a refresh that is stopped by SIGTERM is handed back and finished at once', async () => {
    gate.open();
    const { start } = await createWorld(gate, { REFRESH_INTERVAL_SECONDS: '86400' });
    const [stopped, api] = [await start('main'), await start('main')];
    await start();
    await call(stopped, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    gate.shut();
    const { id } = await call(stopped, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=0' });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    expect(await stopped.stop()).toMatchObject({ code: 0 });
    gate.open();
    await expect.poll(async () => (await call(api, 'GET', `/refreshes/${id}`)).status, PATIENCE).toBe('finished');
    const { sources } = await call(api, 'GET', `/refreshes/${id}`);
    expect(sources.map((source: Body) => [source.status, source.error])).toEqual([['ok', null]]);
  }, 180_000);
});

describe('fault 38: SIGTERM', () => {
  it.each(['frozen', 'dead'])(
    'fault 38: ends a worker in time while Redis is %s, also in the middle of a read',
    async (how) => {
      gate.open();
      const { redis, start } = await createWorld(gate);
      const [api, worker] = [await start('main'), await start()];
      gate.shut();
      await call(api, 'POST', '/wallets', { address: ALICE });
      await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
      if (how === 'frozen') redis.freeze();
      else await redis.kill();
      const startedAt = performance.now();
      await worker.stop();
      expect(performance.now() - startedAt).toBeLessThan(30_000);
      gate.open();
      redis.thaw();
      if (how === 'dead') await redis.restart();
      await start();
      await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    },
    240_000,
  );
});

describe('fault 38: SIGTERM without Redis', () => {
  it('fault 38: ends a worker in time while Postgres is frozen, also in the middle of a read', async () => {
    gate.open();
    const { database, environment, start } = await createWorld(gate, { REDIS_QUEUE_URL: '' });
    const proxy = await startTcpProxy(database.url);
    onTestFinished(() => proxy.close());
    const api = await start('main');
    const worker = await startServiceProcess({ script: 'worker', environment: { ...environment, DATABASE_URL: proxy.url } });
    onTestFinished(async () => void (await worker.kill()));
    gate.shut();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    proxy.pause();
    const startedAt = performance.now();
    await worker.stop();
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    gate.open();
  }, 180_000);
});
