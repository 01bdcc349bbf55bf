import { afterEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const PATIENCE = { timeout: 60_000, interval: 250 };

let stack: TestStack | undefined;
let redis: RedisServer | undefined;
afterEach(async () => {
  await stack?.close();
  await redis?.close();
  stack = undefined;
  redis = undefined;
});

describe.each(['Postgres', 'Redis'])('a service that runs its own schedules, kept in %s', (kind) => {
  it('reads a new wallet and prices what it holds without being asked, and again and again', async () => {
    if (kind === 'Redis') redis = await startRedisServer();
    const started = await startTestStack(async () => ({
      EMBEDDED_WORKER: 'true',
      REFRESH_INTERVAL_SECONDS: '10',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    }));
    stack = started;
    const { ethereum, solana, prices } = started;
    await ethereum.setNative(ALICE, 2n * 10n ** 18n);
    prices.setPrice('coingecko:ethereum', '3000');
    prices.setPrice('coingecko:solana', '100');
    const carol = solana.address('carol');
    solana.setSol(carol, 1_000_000_000n);
    await started.post('/wallets', { address: ALICE }, 201);
    await started.post('/wallets', { address: carol }, 201);
    const total = async (): Promise<Body> => (await started.get('/portfolio')).total_value;
    await expect.poll(total, PATIENCE).toBe('6100');
    await ethereum.setNative(ALICE, 10n ** 18n);
    await expect.poll(total, PATIENCE).toBe('3100');
    expect(await started.get('/portfolio')).toMatchObject({ complete: true });
  }, 150_000);
});
