import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../src/domain/tenant.ts';
import type { HistoryQuery } from '../src/services/history/history-query.ts';
import type { StoredPortfolio } from '../src/services/stored-portfolio.ts';
import { startBenchDatabase } from './bench-database.ts';
import { type BenchLine, median } from './bench-line.ts';
import { createBenchServices } from './bench-services.ts';
import { benchRounds } from './history-round.ts';
import { seedYear, TOKENS, WALLETS } from './history-seed.ts';
import { startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';

const READS = 15;
/** The year's chart at 10 million rows, and how much longer it may take at ten times as many. */
const YEAR_TARGET_MS = 10;
const GROWTH_TARGET = 1.5;
const MILLION = 1_000_000;
/** 100 million points with their keys. */
const LARGE_GB = 30;
const DAY_MS = 86_400_000;

/** Charts over 10 million rows: 100 wallets x 10 tokens x 10,000 snapshots of a year, all of them moved; and how fast snapshots are written. */
export async function benchHistory(): Promise<readonly BenchLine[]> {
  const charts = await benchCharts('10m', 10 * MILLION);
  const database = await startBenchDatabase();
  try {
    return [...charts, ...(await benchRounds(database.tenants, database.url))];
  } finally {
    await database.close();
  }
}

/** The same charts over 100 million rows, against those over 10 million: ten minutes and 25 GB of disk. */
export async function benchLargeHistory(): Promise<readonly BenchLine[]> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize < LARGE_GB * 1e9) throw new Error(`history-100m needs ${LARGE_GB} GB in ${tmpdir()}`);
  const small = await benchCharts('10m', 10 * MILLION);
  const large = await benchCharts('100m', 100 * MILLION);
  const growth = large.flatMap(({ name, value }): BenchLine[] => {
    const before = small.find((line) => line.name === name.replace('100m', '10m'));
    if (before === undefined || name.endsWith('seed')) return [];
    return [
      {
        name: name.replace('100m', 'growth'),
        value: value / before.value,
        unit: 'x',
        ratio: value / before.value / GROWTH_TARGET,
      },
    ];
  });
  return [...small, ...large, ...growth];
}

async function benchCharts(size: string, rows: number): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  try {
    const end = new Date();
    const startedAt = performance.now();
    const { walletIds } = await seedYear(database.tenants, { snapshots: rows / WALLETS / TOKENS, end });
    const seed = { name: `history.${size}.seed`, value: (performance.now() - startedAt) / 1000, unit: 's', ratio: null };
    const read = { end, walletId: walletIds[0] ?? '' };
    const lines = [...(await benchService(database.tenants, read)), ...(await benchHttp(database.url, read))];
    return [seed, ...lines.map(([name, value]) => toLine(`history.${size}.${name}`, value))];
  } finally {
    await database.close();
  }
}

function toLine(name: string, value: number): BenchLine {
  return { name, value, unit: 'ms', ratio: name.endsWith('.year') ? value / YEAR_TARGET_MS : null };
}

type Read = { readonly end: Date; readonly walletId: string };
type Measured = readonly (readonly [name: string, ms: number])[];

/** The charts as the service makes them, over a portfolio that was read before. */
async function benchService(tenants: TenantDb, { end, walletId }: Read): Promise<Measured> {
  let kept: Promise<StoredPortfolio> | undefined;
  const { history } = createBenchServices(tenants, { end, share: (_, read) => (kept ??= read()) });
  const base: HistoryQuery = {
    ...{ from: null, to: null, step: '1d', timeZone: 'UTC', currency: 'USD', walletIds: null, chains: null, assetIds: null },
    ...{ series: 'total', fill: 'none' },
  };
  const year = { ...base, from: new Date(end.getTime() - 364 * DAY_MS) };
  const queries: Readonly<Record<string, HistoryQuery>> = {
    year,
    'year.assets': { ...year, series: 'asset' },
    week: { ...base, step: '1h', from: new Date(end.getTime() - 7 * DAY_MS) },
    wallet: { ...year, walletIds: [walletId] },
  };
  const measured: [string, number][] = [];
  for (const [name, query] of Object.entries(queries)) {
    measured.push([name, await measure(() => history.getHistory(TENANT, query))]);
  }
  return measured;
}

/** The same and more through the whole service, none of it asked for before. */
async function benchHttp(databaseUrl: string, { end, walletId }: Read): Promise<Measured> {
  const server = await startServerProcess({
    ...{ script: 'src/main.ts', env: serviceEnvironment(databaseUrl), readyPath: '/health/live' },
  });
  // Each a little later than the last one, so that no answer is at hand.
  let shift = 0;
  const ago = (days: number): string => new Date(end.getTime() - days * DAY_MS + ++shift * 1000).toISOString();
  const year = (): string => `history?interval=1d&from=${ago(364)}&to=${ago(1)}`;
  const paths: Readonly<Record<string, () => string>> = {
    'year.http': year,
    'week.http': () => `history?interval=1h&from=${ago(7)}&to=${ago(1)}`,
    'wallet.http': () => `${year()}&wallet_id=${walletId}`,
    'changes.http': () => `changes?from=${ago(7)}&to=${ago(1)}`,
  };
  try {
    const measured: [string, number][] = [];
    for (const [name, path] of Object.entries(paths)) {
      measured.push([
        name,
        await measure(async () => {
          const answer = await fetch(`${server.url}/api/v1/portfolio/${path()}`);
          const text = await answer.text();
          if (!answer.ok) throw new Error(`${name} answered ${answer.status}: ${text}`);
        }),
      ]);
    }
    return measured;
  } finally {
    await server.stop();
  }
}

/** The middle one of some runs, after a first one. */
async function measure(read: () => Promise<unknown>): Promise<number> {
  await read();
  const times: number[] = [];
  for (let run = 0; run < READS; run++) {
    const startedAt = performance.now();
    await read();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
