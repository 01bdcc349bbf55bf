import { type Kysely, sql } from 'kysely';
import { createSnapshotStore } from '../src/db/history/snapshot-store.ts';
import type { Schema } from '../src/db/schema.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../src/domain/tenant.ts';
import { type BenchLine, median } from './bench-line.ts';
import { copyIn } from './copy-in.ts';
import { seedTokens } from './history-seed.ts';
import { seedWallets } from './seed-portfolio.ts';

const WALLETS = 10_000;
const TOKENS = 10;
const BALANCES = WALLETS * TOKENS;
const ROUNDS = 5;
const HISTORY_TABLES = sql`relname ~ '^(snapshots|snapshot_(hours|days)|asset_(hours|days)|holding_(series|points.*)|price_points.*|fx_points|exclusion_points)$'`;

/** Snapshots of 100,000 balances, with the database's own settings: how fast they are written when all, some or none of the amounts moved, and what stays on the disk. */
export async function benchRounds(tenants: TenantDb, url: string): Promise<readonly BenchLine[]> {
  const { all: db } = tenants;
  await seedBalances(tenants);
  const take = createTaker(tenants);
  const first = await take();
  const lines: BenchLine[] = [];
  const ceiling = await benchCopy(db, url);
  lines.push({ name: 'history.round.copy', value: ceiling, unit: 'rows/s', ratio: 1 });
  lines.push({
    name: 'history.round.first',
    value: BALANCES / (first / 1000),
    unit: 'rows/s',
    ratio: BALANCES / (first / 1000) / ceiling,
  });
  for (const { name, every } of [
    { name: 'all', every: 1 },
    { name: '1%', every: 100 },
    { name: 'none', every: null },
  ]) {
    const times: number[] = [];
    const before = await diskBytes(db);
    for (let round = 0; round < ROUNDS; round++) {
      if (every !== null) await moveOneIn(db, every);
      times.push(await take());
    }
    const rate = BALANCES / (median(times) / 1000);
    lines.push({ name: `history.round.${name}`, value: rate, unit: 'rows/s', ratio: rate / ceiling });
    lines.push({ name: `history.round.${name}.slowest`, value: Math.max(...times), unit: 'ms', ratio: null });
    lines.push({
      name: `history.disk.${name}`,
      value: ((await diskBytes(db)) - before) / ROUNDS,
      unit: 'bytes/snapshot',
      ratio: null,
    });
  }
  return lines;
}

/** 100,000 balances that no snapshot has told yet. */
export async function seedBalances(tenants: TenantDb): Promise<void> {
  const { all: db } = tenants;
  const now = new Date();
  const walletIds = await seedWallets(tenants, WALLETS);
  const assetIds = await seedTokens(tenants, { quotedAt: now, count: TOKENS });
  await sql`
    insert into sources (tenant_id, wallet_id, chain, kind, observed_at, block_number, attempted_at, outcome)
    select tenant_id, wallet_id, chain, 'balances', ${now}, 1, ${now}, 'ok' from wallet_chains`.execute(db);
  await sql`
    insert into balances (tenant_id, wallet_id, chain, asset_id, position, amount_raw, observed_at, block_number, block_hash)
    select ${TENANT}, w.id, 'ethereum', a.id, 'wallet', (w.n * 10 + a.n) * 1000000000000000::numeric, ${now}, 23000000, '0x' || repeat('ab', 32)
    from unnest(${walletIds}::uuid[]) with ordinality w (id, n)
    cross join unnest(${assetIds}::uuid[]) with ordinality a (id, n)`.execute(db);
  await sql`vacuum analyze`.execute(db);
}

/** Takes snapshots one after the other, an hour apart; answers with how long each took. */
function createTaker(tenants: TenantDb): () => Promise<number> {
  const store = createSnapshotStore(tenants);
  let at = Date.now();
  return async () => {
    at += 3_600_000;
    await sql`checkpoint`.execute(tenants.all).catch(() => undefined);
    const startedAt = performance.now();
    const isTaken = await store.take(TENANT, { at: new Date(at), grade: 'full', missing: [], excludedAssetIds: [] });
    if (!isTaken) throw new Error('the snapshot was not taken');
    return performance.now() - startedAt;
  };
}

/** As a refresh does: one in `every` amounts moves. */
export async function moveOneIn(db: Kysely<Schema>, every: number): Promise<void> {
  await sql`
    update balances set amount_raw = amount_raw + 1000003, block_number = block_number + 100
    where mod(hashtext(wallet_id::text || asset_id::text), ${every}) = 0`.execute(db);
}

/** The same points by COPY into a table of the same form: the most that this database takes in. */
async function benchCopy(db: Kysely<Schema>, url: string): Promise<number> {
  await sql`create table bench_points (like holding_points including all)`.execute(db);
  const { rows } = await sql<{ line: string }>`
    select concat_ws(E'\t', tenant_id, wallet_id, asset_id, position, at, amount_raw, block_number, block_hash) as line
    from holding_points order by tenant_id, wallet_id, asset_id`.execute(db);
  const ms = await copyIn(url, 'copy bench_points from stdin', Buffer.from(`${rows.map(({ line }) => line).join('\n')}\n`));
  await sql`drop table bench_points`.execute(db);
  return rows.length / (ms / 1000);
}

/** With indexes, and with the room that is kept for rows to come. */
async function diskBytes(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`
    select sum(pg_total_relation_size(oid)) as bytes from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and ${HISTORY_TABLES}`.execute(db);
  return Number(rows[0]?.bytes ?? 0);
}
