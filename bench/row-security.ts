import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import { createDatabase } from '../src/db/database.ts';
import { createSnapshotStore } from '../src/db/history/snapshot-store.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { createWalletStore } from '../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../src/domain/tenant.ts';
import type { HistoryQuery } from '../src/services/history/history-query.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import type { BenchLine } from './bench-line.ts';
import { createBenchServices } from './bench-services.ts';
import { moveOneIn, seedBalances } from './history-round.ts';
import { seedYear } from './history-seed.ts';

const READS = 200;
const CHARTS = 60;
const ROUNDS = 7;
/** A million points of a year: 100 wallets x 10 tokens, which are the 1,000 balances of now. */
const SNAPSHOTS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The same work over connections of one tenant and, in turns with it, over connections that no policy holds for and that need no transactions: what it costs that the database keeps tenants apart. */
export async function benchRowSecurity(): Promise<readonly BenchLine[]> {
  return [...(await withDatabases(benchReads)), ...(await withDatabases(benchSnapshots))];
}

/** Over the tenant's connections, and over others. */
type Sides = { readonly held: TenantDb; readonly free: TenantDb };

async function withDatabases(work: (sides: Sides) => Promise<readonly BenchLine[]>): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  const free = createDatabase({ url: asSuperuser(database), log: { warn: () => undefined }, queryTimeoutMs: 120_000 });
  try {
    return await work({ held: database.tenants, free: { of: () => free.db, all: free.db } });
  } finally {
    await free.close();
    await database.close();
  }
}

/** For whom no policy holds. */
function asSuperuser({ url }: BenchDatabase): string {
  const login = new URL(url);
  login.username = 'postgres';
  return login.href;
}

async function benchReads(sides: Sides): Promise<readonly BenchLine[]> {
  const end = new Date();
  const { walletIds } = await seedYear(sides.held, { snapshots: SNAPSHOTS, end });
  const id = walletIds[0] ?? '';
  const year: HistoryQuery = {
    ...{ from: new Date(end.getTime() - 364 * DAY_MS), to: null, step: '1d', timeZone: 'UTC', currency: 'USD' },
    ...{ walletIds: null, chains: null, assetIds: null, series: 'total', fill: 'none' },
  };
  const services = (db: TenantDb): ReturnType<typeof createBenchServices> =>
    createBenchServices(db, { end, share: (_, read) => read() });
  const [held, free] = [services(sides.held), services(sides.free)];
  const scope = { walletIds: null, chains: null, minValue: null, currency: 'USD', includeSpam: true };
  return [
    ...(await compare('wallet', READS, {
      held: () => createWalletStore(sides.held).get(TENANT, id),
      free: () => createWalletStore(sides.free).get(TENANT, id),
    })),
    ...(await compare('portfolio', READS, {
      held: () => held.portfolio.getPortfolio(TENANT, scope),
      free: () => free.portfolio.getPortfolio(TENANT, scope),
    })),
    ...(await compare('year', CHARTS, {
      held: () => held.history.getHistory(TENANT, year),
      free: () => free.history.getHistory(TENANT, year),
    })),
  ];
}

/** Snapshots of 100,000 balances, all of which moved. */
async function benchSnapshots(sides: Sides): Promise<readonly BenchLine[]> {
  await seedBalances(sides.held);
  let at = Date.now();
  const take = async (db: TenantDb): Promise<void> => {
    at += HOUR_MS;
    await createSnapshotStore(db).take(TENANT, { at: new Date(at), grade: 'full', missing: [], excludedAssetIds: [] });
  };
  const before = async (): Promise<void> => {
    await moveOneIn(sides.free.all, 1);
    await sql`checkpoint`.execute(sides.free.all);
  };
  return compare('snapshot', ROUNDS, { held: () => take(sides.held), free: () => take(sides.free), before });
}

type Contest = {
  readonly held: () => Promise<unknown>;
  readonly free: () => Promise<unknown>;
  readonly before?: () => Promise<void>;
};

/** The least of runs in turns, since others on the machine can only add to it; each side is as often first. `ratio`: of the one with policies to the one without. */
async function compare(name: string, runs: number, { before, ...sides }: Contest): Promise<readonly BenchLine[]> {
  const times = { held: [] as number[], free: [] as number[] };
  for (let run = -1; run < runs; run++) {
    for (const side of run % 2 === 0 ? (['held', 'free'] as const) : (['free', 'held'] as const)) {
      await before?.();
      await turn();
      const startedAt = performance.now();
      await sides[side]();
      // The first run is for warming up.
      if (run >= 0) times[side].push(performance.now() - startedAt);
    }
  }
  const [held, free] = [Math.min(...times.held), Math.min(...times.free)];
  return [
    { name: `row-security.${name}`, value: held, unit: 'ms', ratio: held / free },
    { name: `row-security.${name}.without`, value: free, unit: 'ms', ratio: null },
  ];
}
