import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../test/support/redis-server.ts';
import { startBenchDatabase } from './bench-database.ts';
import { type BenchLine, median } from './bench-line.ts';
import { type Contender, holdContest } from './contest.ts';
import { saveAnswer } from './saved-answer.ts';
import { seedPortfolio } from './seed-portfolio.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';

export const PORTFOLIO = '/api/v1/portfolio';
const ROUNDS = 6;
const SECONDS = 1;
const UNCACHED_READS = 11;

/** The cached portfolio through the whole service, against Node alone with the same bytes and against what is usually built; and what a read without the cache costs. */
export async function benchApi(): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chainfolio-bench-'));
  const [database, redis] = await Promise.all([
    startBenchDatabase(),
    startRedisServer({ args: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'] }),
  ]);
  const servers: ServerProcess[] = [];
  const start = async (...args: Parameters<typeof startServerProcess>): Promise<ServerProcess> => {
    const server = await startServerProcess(...args);
    servers.push(server);
    return server;
  };
  try {
    await seedPortfolio(database.tenants, { wallets: 1, tokensEach: 2 });
    const env = serviceEnvironment(database.url);
    const readyPath = '/health/live';
    const service = await start({ script: 'src/main.ts', env, readyPath });
    const onRedis = await start({ script: 'src/main.ts', env: { ...env, REDIS_URL: redis.url }, readyPath });
    const file = join(folder, 'answer.json');
    const bytes = await saveAnswer(service.url + PORTFOLIO, file);
    const bare = await start({ script: 'bench/bare-server.ts', args: [file] });
    const typical = await start({ script: 'bench/typical-server.ts', args: [file, redis.url] });
    const etag = (await fetch(service.url + PORTFOLIO)).headers.get('etag') ?? '';
    const contenders: readonly Contender[] = [
      { name: 'ceiling', server: bare, load: { url: bare.url + PORTFOLIO } },
      { name: 'cached', server: service, load: { url: service.url + PORTFOLIO } },
      { name: 'cached.redis', server: onRedis, load: { url: onRedis.url + PORTFOLIO } },
      { name: 'cached.304', server: service, load: { url: service.url + PORTFOLIO, headers: { 'If-None-Match': etag } } },
      { name: 'typical', server: typical, load: { url: typical.url + PORTFOLIO } },
    ];
    const scores = await holdContest(contenders, { rounds: ROUNDS, seconds: SECONDS });
    const ceiling = scores.get('ceiling');
    const lines: BenchLine[] = [{ name: 'api.portfolio.body', value: bytes, unit: 'bytes', ratio: null }];
    for (const [name, { requestsPerSecond, leastCpuUs }] of scores) {
      const ratio = requestsPerSecond / (ceiling?.requestsPerSecond ?? Number.NaN);
      lines.push({ name: `api.${name}`, value: requestsPerSecond, unit: 'req/s', ratio });
      const cpuRatio = (ceiling?.leastCpuUs ?? Number.NaN) / leastCpuUs;
      lines.push({ name: `api.${name}.cpu`, value: leastCpuUs, unit: 'us/req', ratio: cpuRatio });
    }
    for (const wallets of [100, 1000]) {
      await seedPortfolio(database.tenants, { wallets, tokensEach: 15 });
      lines.push(...(await benchUncached(service, wallets)));
    }
    return lines;
  } finally {
    for (const server of servers) await server.stop();
    await Promise.all([database.close(), redis.close()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One read after the other, none asked for before. */
async function benchUncached(server: ServerProcess, wallets: number): Promise<readonly BenchLine[]> {
  const times: number[] = [];
  const cpu: number[] = [];
  for (let read = 0; read < UNCACHED_READS; read++) {
    const before = server.cpuMs();
    const startedAt = performance.now();
    const answer = await fetch(`${server.url}${PORTFOLIO}?min_value=0.${wallets}${String(read).padStart(3, '0')}1`);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`the portfolio of ${wallets} wallets answered ${answer.status}`);
    times.push(performance.now() - startedAt);
    cpu.push(server.cpuMs() - before);
  }
  return [
    { name: `api.uncached.${wallets}`, value: median(times), unit: 'ms', ratio: null },
    {
      name: `api.uncached.${wallets}.cpu`,
      value: cpu.reduce((sum, one) => sum + one, 0) / cpu.length,
      unit: 'ms/req',
      ratio: null,
    },
  ];
}
