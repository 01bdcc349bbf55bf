import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { startPriceServer } from '../localnet/price-server.ts';
import type { Schema } from '../src/db/schema.ts';
import { listedTokens } from '../src/domain/token-list.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { startBenchDatabase } from './bench-database.ts';
import type { BenchLine } from './bench-line.ts';
import { seedWallets } from './seed-portfolio.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';
import { LOAD_CORE } from './wrk.ts';

const WALLETS = 100_000;
/** How old figures are meant to be at the most. */
const ROUND_SECONDS = 300;
const LATENCY_MS = 50;
/** A run has to end: what is not done by then is told as not done, and the rest reckoned from what is. */
const GIVE_UP_MS = 60_000;
const LOOK_INTERVAL_MS = 500;

/**
 * 100,000 wallets times all listed tokens of one chain, all due at once, read by one worker through its real dispatcher, queue and stores from an endpoint
 * 50 ms away. The worker has one core; the endpoint, the database and Redis share the other one.
 */
export async function benchHundredThousand(): Promise<readonly BenchLine[]> {
  const tokens = listedTokens('ethereum');
  const [database, redis, prices] = await Promise.all([
    startBenchDatabase(),
    startRedisServer({ args: ['--appendfsync', 'everysec'] }),
    startPriceServer(),
  ]);
  const servers: ServerProcess[] = [];
  try {
    prices.setPrice('coingecko:ethereum', '3000');
    for (const { address } of tokens) prices.setPrice(`ethereum:${address}`, '1.5');
    await seedWallets(database.tenants, WALLETS);
    const chain = await startServerProcess({
      ...{ script: 'bench/packed-chain.ts', core: LOAD_CORE },
      env: { DELAY_MS: String(LATENCY_MS) },
    });
    servers.push(chain);
    const worker = await startServerProcess({
      ...{ script: 'src/worker.ts', portVariable: 'WORKER_PORT', readyPath: '/health/live' },
      env: {
        ...serviceEnvironment(database.url),
        ETHEREUM_RPC_URLS: chain.url,
        DEFILLAMA_URL: prices.defillamaUrl,
        PRICE_SOURCES: 'defillama',
        REDIS_URL: redis.url,
        REFRESH_INTERVAL_SECONDS: String(ROUND_SECONDS),
      },
    });
    servers.push(worker);
    return await watch(database.db, { worker, chain, slots: WALLETS * (tokens.length + 1) });
  } finally {
    for (const server of servers.toReversed()) await server.stop();
    await Promise.all([database.close(), redis.close(), prices.close()]);
  }
}

type Watched = { readonly worker: ServerProcess; readonly chain: ServerProcess; readonly slots: number };

async function watch(db: Kysely<Schema>, { worker, chain, slots }: Watched): Promise<readonly BenchLine[]> {
  const startedAt = performance.now();
  const cpuAtStart = worker.cpuMs();
  let progress = await readProgress(db);
  while (progress.read < WALLETS && performance.now() - startedAt < GIVE_UP_MS) {
    await sleep(LOOK_INTERVAL_MS);
    progress = await readProgress(db);
  }
  const wallMs = performance.now() - startedAt;
  const cpuMs = worker.cpuMs() - cpuAtStart;
  const { requests }: { requests: number } = JSON.parse(await (await fetch(chain.url)).text());
  const isDone = progress.read === WALLETS;
  const line = (name: string, value: number, unit: string, ratio: number | null = null): BenchLine => ({
    ...{ name: `wallets100k.${name}`, value, unit, ratio },
  });
  // What a whole round takes, if it could not be awaited.
  const scale = isDone ? 1 : WALLETS / Math.max(progress.read, 1);
  return [
    line('read', progress.read, 'wallets', progress.read / WALLETS),
    line('balances', slots, 'balances'),
    line('requests', Math.round(requests * scale), 'requests'),
    line('wall', (wallMs / 1000) * scale, 's', ((wallMs / 1000) * scale) / ROUND_SECONDS),
    line('worker.cpu', (cpuMs / 1000) * scale, 's'),
    line('worker.share', (cpuMs * scale) / 10 / ROUND_SECONDS, '%of-a-core', (cpuMs * scale) / 1000 / ROUND_SECONDS / 0.5),
    line('worker.peak', worker.peakMb(), 'MB'),
    line('freshness.oldest', progress.oldestSeconds, 's', progress.oldestSeconds / ROUND_SECONDS),
    line('failed', progress.failed, 'wallets'),
  ];
}

type Progress = { readonly read: number; readonly failed: number; readonly oldestSeconds: number };

async function readProgress(db: Kysely<Schema>): Promise<Progress> {
  const { rows } = await sql<{ read: string; failed: string; oldest: string | null }>`
    select count(observed_at) as read, count(*) filter (where outcome = 'failed') as failed,
      extract(epoch from now() - min(observed_at)) as oldest
    from sources`.execute(db);
  const [row] = rows;
  return { read: Number(row?.read ?? 0), failed: Number(row?.failed ?? 0), oldestSeconds: Number(row?.oldest ?? 0) };
}
