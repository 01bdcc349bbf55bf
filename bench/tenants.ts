import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createKeyStore } from '../src/db/access/key-store.ts';
import { createQuotaStore } from '../src/db/access/quota-store.ts';
import { createTenantStore } from '../src/db/access/tenant-store.ts';
import { createKeyService } from '../src/services/access/key-service.ts';
import { PORTFOLIO } from './api.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import type { BenchLine } from './bench-line.ts';
import { seedPortfolio } from './seed-portfolio.ts';
import { startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';
import type { LoadResult, SteadyLoad } from './steady-load.ts';
import { LOAD_CORE } from './wrk.ts';

const run = promisify(execFile);

const SECONDS = 6;
/** What a tenant is granted that nothing else was set for. */
const PER_SECOND = 10;
const TIMES_AS_MUCH = 100;
const POINTS_A_MINUTE = 60 * PER_SECOND;
const PLENTY = 10_000_000;

/** How much longer one tenant waits while another asks for a hundred times as much: held by equal quotas, and by nothing but the turns that they take. */
export async function benchTenants(): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  try {
    const keys = { modest: await makeTenant(database, 'modest'), greedy: await makeTenant(database, 'greedy') };
    const env = { ...serviceEnvironment(database.url), API_KEYS_REQUIRED: 'true' };
    const lines: BenchLine[] = [];
    for (const [name, points, rounds] of [
      ['quota', POINTS_A_MINUTE, 12],
      ['turns', PLENTY, 4],
    ] as const) {
      await createQuotaStore(database.tenants).set(keys.greedy.tenantId, { requestsPerMinute: points });
      const server = await startServerProcess({ script: 'src/main.ts', env, readyPath: '/health/live' });
      try {
        lines.push(
          ...(await compare(name, { url: server.url + PORTFOLIO, modest: keys.modest.text, greedy: keys.greedy.text, rounds })),
        );
      } finally {
        await server.stop();
      }
    }
    return lines;
  } finally {
    await database.close();
  }
}

async function makeTenant(
  { tenants }: BenchDatabase,
  name: string,
): Promise<{ readonly tenantId: string; readonly text: string }> {
  const tenant = await createTenantStore(tenants).create(name);
  if (tenant === undefined) throw new Error(`the tenant ${name} is there already`);
  const keys = createKeyService({ store: createKeyStore(tenants), now: () => new Date() });
  await seedPortfolio(tenants, { wallets: 20, tokensEach: 5, tenantId: tenant.id });
  const { text } = await keys.create(tenant.id, { name: 'bench', scopes: ['admin'], expiresAt: null });
  return { tenantId: tenant.id, text };
}

type Contest = { readonly url: string; readonly modest: string; readonly greedy: string; readonly rounds: number };

/** Rounds alone and rounds beside the other, in turn. What differs between every other round alone is the noise of the machine. */
async function compare(name: string, { url, modest, greedy, rounds }: Contest): Promise<readonly BenchLine[]> {
  const askModestly = (): Promise<LoadResult> => runClient({ url, key: modest, perSecond: PER_SECOND, seconds: SECONDS });
  const alone: readonly [number[], number[]] = [[], []];
  const beside: number[] = [];
  const first: number[] = [];
  const statuses: Record<string, number> = {};
  await askModestly();
  for (let round = 0; round < rounds; round++) {
    alone[round % 2 === 0 ? 0 : 1].push(...(await askModestly()).timesMs);
    const other = runClient({ url, key: greedy, perSecond: PER_SECOND * TIMES_AS_MUCH, seconds: SECONDS });
    const [mine, others] = await Promise.all([askModestly(), other]);
    beside.push(...mine.timesMs);
    first.push(...mine.firstMs);
    for (const [status, count] of Object.entries(others.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
  }
  const line = (what: string, value: number, unit: string, ratio: number | null = null): BenchLine => ({
    name: `tenants.${name}.${what}`,
    value,
    unit,
    ratio,
  });
  const times = (what: string, part: number, values: readonly number[], base: readonly number[]): BenchLine =>
    line(what, percentile(values, part), 'ms', percentile(values, part) / percentile(base, part));
  const all = alone.flat();
  const [less = [], more = []] = alone.toSorted((a, b) => percentile(a, 0.99) - percentile(b, 0.99));
  const { 200: granted = 0, 429: limited = 0, 503: busy = 0 } = statuses;
  return [
    times('alone.p50', 0.5, all, all),
    times('alone.p99', 0.99, all, all),
    times('alone.p99.noise', 0.99, more, less),
    times('beside.p50', 0.5, beside, all),
    times('beside.p99', 0.99, beside, all),
    times('beside.p99.first-second', 0.99, first, all),
    line('beside.failed', rounds * SECONDS * PER_SECOND - beside.length - first.length, 'requests'),
    line('greedy.granted', granted / (rounds * SECONDS), 'req/s'),
    line('greedy.refused', (limited + busy) / (rounds * SECONDS), 'req/s'),
  ];
}

async function runClient({ url, key, perSecond, seconds }: SteadyLoad): Promise<LoadResult> {
  const script = join(import.meta.dirname, 'load-client.ts');
  const args = ['-c', LOAD_CORE, process.execPath, script, url, key, String(perSecond), String(seconds)];
  const { stdout } = await run('taskset', args);
  return JSON.parse(stdout);
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
