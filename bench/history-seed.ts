import { type Kysely, sql } from 'kysely';
import { createAssetStore } from '../src/db/asset-store.ts';
import { createPriceStore } from '../src/db/price-store.ts';
import type { Schema } from '../src/db/schema.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { Decimal } from '../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../src/domain/tenant.ts';
import { listedTokens } from '../src/domain/token-list.ts';
import { seedWallets } from './seed-portfolio.ts';

export const WALLETS = 100;
export const TOKENS = 10;
const YEAR_DAYS = 365;
const MONTHS_AT_ONCE = 2;

type Year = { readonly snapshots: number; readonly end: Date };
type Seeded = { readonly walletIds: readonly string[] };

/**
 * A year in which all amounts and prices moved from each snapshot to the next: 100 wallets x 10 tokens x the snapshots. Made by SQL, in tables that need no
 * log, since nothing of it has to outlive a power cut.
 */
export async function seedYear(tenants: TenantDb, year: Year): Promise<Seeded> {
  const { all: db } = tenants;
  const walletIds = await seedWallets(tenants, WALLETS);
  const assetIds = await seedTokens(tenants, { quotedAt: year.end, count: TOKENS });
  await sql`create unlogged table bench_moments (i int primary key, at timestamptz(3) not null unique)`.execute(db);
  await sql`
    insert into bench_moments
    select i, ${year.end}::timestamptz - (${year.snapshots}::int - i) * (make_interval(days => ${YEAR_DAYS}) / ${year.snapshots}::int)
    from generate_series(1, ${year.snapshots}::int) i`.execute(db);
  await sql`create unlogged table bench_slots (wallet_id uuid, asset_id uuid, token int, base bigint, primary key (wallet_id, asset_id))`.execute(
    db,
  );
  await sql`
    insert into bench_slots
    select w.id, a.id, a.n - 1, (w.n * ${TOKENS}::int + a.n) * 1000000000000000::bigint
    from unnest(${walletIds}::uuid[]) with ordinality w (id, n)
    cross join unnest(${assetIds}::uuid[]) with ordinality a (id, n)`.execute(db);
  await seedNow(db, year);
  await seedSnapshots(db);
  const months = monthsOf(year.end);
  for (let first = 0; first < months.length; first += MONTHS_AT_ONCE) {
    await Promise.all(months.slice(first, first + MONTHS_AT_ONCE).map((month) => seedMonth(db, month, walletIds)));
  }
  await sql`analyze`.execute(db);
  return { walletIds };
}

/** Listed tokens of Ethereum with prices; answers with their ids. */
export async function seedTokens(
  tenants: TenantDb,
  { quotedAt, count }: { readonly quotedAt: Date; readonly count: number },
): Promise<readonly string[]> {
  const base = { chain: 'ethereum', decimals: 18, flags: [], listed: true, standard: 'erc20' } as const;
  const tokens = listedTokens('ethereum').slice(0, count);
  const assets = await createAssetStore(tenants).upsertMany(
    tokens.map(({ address, symbol, name }) => ({ ...base, address, symbol, name })),
  );
  await createPriceStore(tenants).savePrices(
    new Map(
      assets.map(({ id }, token) => {
        const lastGood = { value: new Decimal('1.25').plus(token), source: 'defillama', quotedAt };
        return [id, { assetId: id, lastGood, suspect: null, checkedAt: quotedAt, attempts: [] }];
      }),
    ),
  );
  return assets.map(({ id }) => id);
}

const amountAt = sql`(s.base + m.i * 1000003::bigint)::numeric`;
const priceAt = sql`(1.25 + s.token + (m.i % 1000) * 0.001)`;

/** What the wallets hold at the end, as a refresh leaves it. */
async function seedNow(db: Kysely<Schema>, { snapshots, end }: Year): Promise<void> {
  await sql`
    insert into sources (tenant_id, wallet_id, chain, kind, observed_at, block_number, attempted_at, outcome)
    select tenant_id, wallet_id, chain, 'balances', ${end}, 1, ${end}, 'ok' from wallet_chains`.execute(db);
  await sql`
    insert into balances (tenant_id, wallet_id, chain, asset_id, position, amount_raw, observed_at, block_number)
    select ${TENANT}, s.wallet_id, 'ethereum', s.asset_id, 'wallet', ${amountAt}, ${end}, 1
    from bench_slots s join bench_moments m on m.i = ${snapshots}`.execute(db);
  await sql`
    insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
    select tenant_id, wallet_id, asset_id, position, chain, amount_raw from balances`.execute(db);
}

async function seedSnapshots(db: Kysely<Schema>): Promise<void> {
  await sql`insert into snapshots (tenant_id, at, grade) select ${TENANT}, at, 'full' from bench_moments`.execute(db);
  for (const bucket of ['hour', 'day']) {
    const start = sql`date_trunc(${sql.lit(bucket)}, at at time zone 'UTC') at time zone 'UTC'`;
    await sql`
      insert into ${sql.table(`snapshot_${bucket}s`)} (tenant_id, bucket, at, grade)
      select ${TENANT}, ${start}, max(at), 'full' from bench_moments group by 2`.execute(db);
    await sql`
      insert into ${sql.table(`asset_${bucket}s`)} (tenant_id, bucket, asset_id, amount_raw, price)
      select ${TENANT}, b.bucket, s.asset_id, sum(${amountAt}), max(${priceAt})
      from ${sql.table(`snapshot_${bucket}s`)} b join bench_moments m on m.at = b.at cross join bench_slots s
      group by b.bucket, s.asset_id order by b.bucket, s.asset_id`.execute(db);
  }
}

type Month = { readonly name: string; readonly from: string; readonly to: string };

function monthsOf(end: Date): readonly Month[] {
  return Array.from({ length: 13 }, (_, back) => {
    const first = (shift: number): string =>
      new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - 12 + back + shift, 1)).toISOString();
    return { name: first(0).slice(0, 7).replace('-', '_'), from: first(0), to: first(1) };
  });
}

/** In the order of the keys, so that the indexes only grow at their ends. */
async function seedMonth(db: Kysely<Schema>, { name, from, to }: Month, walletIds: readonly string[]): Promise<void> {
  for (const table of ['holding_points', 'price_points']) {
    const part = sql.table(`${table}_${name}`);
    await sql`create unlogged table ${part} partition of ${sql.table(table)} for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(
      db,
    );
  }
  await sql`
    insert into price_points (asset_id, at, value, source)
    select s.asset_id, m.at, ${priceAt}, 'defillama' from bench_slots s cross join bench_moments m
    where s.wallet_id = ${walletIds[0]} and m.at >= ${from} and m.at < ${to} order by 1, 2`.execute(db);
  for (const walletId of walletIds.toSorted()) {
    await sql`
      insert into ${sql.table(`holding_points_${name}`)} (tenant_id, wallet_id, asset_id, position, at, amount_raw, block_number)
      select ${TENANT}, s.wallet_id, s.asset_id, 'wallet', m.at, ${amountAt}, 20000000 + m.i
      from bench_slots s cross join bench_moments m
      where s.wallet_id = ${walletId} and m.at >= ${from} and m.at < ${to} order by s.asset_id, m.at`.execute(db);
  }
}
