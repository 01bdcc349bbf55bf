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
import { runSteadyLoad } from './steady-load.ts';
import { LOAD_CORE } from './wrk.ts';

const run = promisify(execFile);

const ROUNDS = 4;
const SECONDS = 5;
const PER_SECOND = 5;
const TIMES_AS_MUCH = 100;
/** What the modest one is granted and uses. */
const POINTS_A_MINUTE = 60 * PER_SECOND;
const PLENTY = 10_000_000;

/** How much longer one tenant waits while another asks for a hundred times as much: held by equal quotas, and by nothing but the turns that they take. */
export async function benchTenants(): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  try {
    const keys = { modest: await makeTenant(database, 'modest'), greedy: await makeTenant(database, 'greedy') };
    const env = { ...serviceEnvironment(database.url), API_KEYS_REQUIRED: 'true' };
    const lines: BenchLine[] = [];
    for (const [name, points] of [
      ['quota', POINTS_A_MINUTE],
      ['turns', PLENTY],
    ] as const) {
      await createQuotaStore(database.tenants).set(keys.greedy.tenantId, { requestsPerMinute: points });
      const server = await startServerProcess({ script: 'src/main.ts', env, readyPath: '/health/live' });
      try {
        lines.push(...(await compare(name, { url: server.url + PORTFOLIO, modest: keys.modest.text, greedy: keys.greedy.text })));
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

type Contest = { readonly url: string; readonly modest: string; readonly greedy: string };

/** Rounds alone and rounds beside the other, in turn. */
async function compare(name: string, { url, modest, greedy }: Contest): Promise<readonly BenchLine[]> {
  const alone: number[] = [];
  const beside: number[] = [];
  const load = { url, key: modest, perSecond: PER_SECOND, seconds: SECONDS };
  await runSteadyLoad({ ...load, seconds: 2 });
  let granted = 0;
  let refused = 0;
  let failed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...(await runSteadyLoad(load)).timesMs);
    const other = runGreedy({ url, key: greedy });
    const mine = await runSteadyLoad(load);
    beside.push(...mine.timesMs);
    const statuses = await other;
    granted += statuses['200'] ?? 0;
    refused += (statuses['429'] ?? 0) + (statuses['503'] ?? 0);
    failed += PER_SECOND * SECONDS - mine.timesMs.length;
  }
  const line = (what: string, value: number, unit: string, ratio: number | null = null): BenchLine => ({
    name: `tenants.${name}.${what}`,
    value,
    unit,
    ratio,
  });
  return [
    line('alone.p50', percentile(alone, 0.5), 'ms'),
    line('alone.p99', percentile(alone, 0.99), 'ms'),
    line('beside.p50', percentile(beside, 0.5), 'ms', percentile(beside, 0.5) / percentile(alone, 0.5)),
    line('beside.p99', percentile(beside, 0.99), 'ms', percentile(beside, 0.99) / percentile(alone, 0.99)),
    line('beside.failed', failed, 'requests'),
    line('greedy.granted', granted / (ROUNDS * SECONDS), 'req/s'),
    line('greedy.refused', refused / (ROUNDS * SECONDS), 'req/s'),
  ];
}

async function runGreedy({
  url,
  key,
}: {
  readonly url: string;
  readonly key: string;
}): Promise<Readonly<Record<string, number>>> {
  const args = [url, key, String(PER_SECOND * TIMES_AS_MUCH), String(SECONDS)];
  const { stdout } = await run('taskset', [
    '-c',
    LOAD_CORE,
    process.execPath,
    join(import.meta.dirname, 'greedy-client.ts'),
    ...args,
  ]);
  return JSON.parse(stdout);
}

function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
