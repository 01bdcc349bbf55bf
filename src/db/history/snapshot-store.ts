import { type Kysely, sql, type Transaction } from 'kysely';
import type { MissingSource, Snapshot } from '../../domain/history/snapshot.ts';
import { noteChange } from '../data-version.ts';
import { recordMissedSnapshots } from '../events/missed-snapshots.ts';
import { recordEvents } from '../events/record-events.ts';
import type { Schema, StoredMissing } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { type DueOptions, listDue } from './snapshots-due.ts';
import { thinHistory } from './thin-history.ts';

export type NewSnapshot = Snapshot & {
  /** What counts as spam or is held back now. */
  readonly excludedAssetIds: readonly string[];
  /** The moment of the snapshot that it comes after, null for the first one: none is taken when there is another one by now. Whatever comes before it, unless told. */
  readonly follows?: Date | null;
};

export type SnapshotStore = {
  /**
   * Writes down what is stored now: amounts that moved since the last snapshot, prices and rates that are new, and the buckets of the hour and the day. All or nothing; once for
   * each moment, so that a job that runs twice writes nothing the second time. False when this moment is written down already or a later one is.
   */
  take(tenantId: string, snapshot: NewSnapshot): Promise<boolean>;
  /**
   * Lets go of what is older than it is kept: of all snapshots only the last of each hour stays after `rawDays`, and of each day after `hourlyDays`. Amounts and prices thin out in the same way; the last one before
   * any moment that is still told stays. Running it again changes nothing.
   */
  thin(keep: { readonly rawDays: number; readonly hourlyDays: number }, signal: AbortSignal): Promise<void>;
  /** Tells of intervals in which no snapshot was taken, each once. To be called before those that are due are taken. */
  recordMissed(intervalSeconds: number): Promise<void>;
  /** Tenants whose holdings are to be written down now. */
  listDue(options: DueOptions): Promise<readonly string[]>;
  /** The time by the database's clock, the one that all processes share. */
  readClock(): Promise<Date>;
  /** The newest snapshot; undefined before the first. */
  getLatest(tenantId: string): Promise<Snapshot | undefined>;
};

export function createSnapshotStore(db: TenantDb): SnapshotStore {
  return {
    async take(tenantId, snapshot) {
      await ensureMonths(db.all, snapshot.at);
      return inTransaction(db.of(tenantId), (trx) => take(trx, tenantId, snapshot));
    },
    thin: (keep, signal) => thinHistory(db.all, keep, signal),
    recordMissed: (intervalSeconds) => recordMissedSnapshots(db, intervalSeconds),
    listDue: (options) => listDue(db.all, options),
    async readClock() {
      const { rows } = await sql<{ now: Date }>`select now()::timestamptz(3) as now`.execute(db.all);
      return rows[0]?.now ?? new Date();
    },
    async getLatest(tenantId) {
      const row = await db
        .of(tenantId)
        .selectFrom('snapshots')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .orderBy('at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && { at: row.at, grade: row.grade, missing: row.missing.map(fromStored) };
    },
  };
}

async function take(trx: Transaction<Schema>, tenantId: string, snapshot: NewSnapshot): Promise<boolean> {
  // In the order of time.
  await lockHistory(trx, tenantId);
  if (!(await insertSnapshot(trx, tenantId, snapshot))) return false;
  await saveHoldings(trx, tenantId, snapshot.at);
  await saveExclusions(trx, tenantId, snapshot);
  await savePrices(trx, tenantId, snapshot.at);
  for (const bucket of ['hour', 'day'] as const) await saveBucket(trx, { tenantId, snapshot, bucket });
  const { at, grade, missing } = snapshot;
  await recordEvents(trx, tenantId, [
    { type: 'snapshot.taken', data: { at: at.toISOString(), grade, missing_count: missing.length } },
  ]);
  await noteChange(trx, tenantId);
  return true;
}

/** Whoever writes into the past of a tenant does so alone, until the end of the transaction. */
export async function lockHistory(trx: Transaction<Schema>, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('snapshot ' || ${tenantId}, 0))`.execute(trx);
}

async function insertSnapshot(
  trx: Transaction<Schema>,
  tenantId: string,
  { at, grade, missing, follows }: NewSnapshot,
): Promise<boolean> {
  const since = follows === undefined ? sql`at >= ${at}` : sql`at > ${follows ?? new Date(0)}`;
  const { numAffectedRows } = await sql`
    insert into snapshots (tenant_id, at, grade, missing)
    select ${tenantId}, ${at}, ${grade}, ${toStored(missing)}::jsonb
    where not exists (select from snapshots where tenant_id = ${tenantId} and ${since})`.execute(trx);
  return numAffectedRows === 1n;
}

/** What a snapshot needs, apart from the rest of it: a new month keeps others waiting, and is not for connections of one tenant to make. */
async function ensureMonths(db: Kysely<Schema>, at: Date): Promise<void> {
  await ensureMonth(db, 'holding_points', at);
  const { rows } = await sql<{ month: Date }>`
    select distinct date_trunc('month', least(good_quoted_at, ${at}), 'UTC') as month from prices where good_quoted_at is not null
    union select date_trunc('month', ${at}::timestamptz, 'UTC') order by month`.execute(db);
  for (const { month } of rows) await ensureMonth(db, 'price_points', month);
}

/** The partition of the month that a moment lies in. */
export async function ensureMonth(db: Kysely<Schema>, table: 'holding_points' | 'price_points', at: Date): Promise<void> {
  const month = at.toISOString().slice(0, 7);
  const name = `${table}_${month.replace('-', '_')}`;
  if (await hasTable(db, name)) return;
  const next = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1));
  const partition = { table, name, from: `${month}-01T00:00:00Z`, until: next.toISOString() };
  if (db.isTransaction) await createPartition(db, partition);
  else await inTransaction(db, (trx) => createPartition(trx, partition));
}

/** One after the other: of those that create it at once, all but one would fail. */
async function createPartition(
  trx: Kysely<Schema>,
  { table, name, from, until }: Record<'table' | 'name' | 'from' | 'until', string>,
): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('month ' || ${name}, 0))`.execute(trx);
  if (await hasTable(trx, name)) return;
  await sql`
    create table ${sql.table(name)} partition of ${sql.table(table)}
    for values from (${sql.lit(from)}) to (${sql.lit(until)})`.execute(trx);
}

/** From the catalog's table: what is remembered of names may be older than the wait for whoever creates it. */
async function hasTable(db: Kysely<Schema>, name: string): Promise<boolean> {
  const { rows } = await sql`select from pg_class where relname = ${name} and pg_table_is_visible(oid)`.execute(db);
  return rows.length > 0;
}

/**
 * Only what moved has a point; what was never above zero has none, and what is followed no more has left. What was filled in of the past stays as it is until its source has been read once. In one pass, in
 * the order of the index: a round in which everything moved is written about as fast as COPY writes.
 */
async function saveHoldings(trx: Transaction<Schema>, tenantId: string, at: Date): Promise<void> {
  // Room for 100,000 amounts that all moved, which would go through files otherwise.
  await sql`set local work_mem = '64MB'`.execute(trx);
  await sql`
    with moved as materialized (
      select s.ctid as place, wallet_id, asset_id, position, coalesce(b.chain, s.chain) as chain,
        coalesce(b.amount_raw, 0) as amount_raw, b.block_number, b.block_hash
      from (select * from balances where tenant_id = ${tenantId}) b
      full join (select ctid, * from holding_series where tenant_id = ${tenantId}) s using (wallet_id, asset_id, position)
      where coalesce(b.amount_raw, 0) <> coalesce(s.amount_raw, 0)
        and case when b.wallet_id is null then not ${isUnread(tenantId)} else b.amount_raw is not null end
    ), known as (
      update holding_series s set amount_raw = moved.amount_raw from moved where s.ctid = moved.place
    ), new as (
      insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
      select ${tenantId}, wallet_id, asset_id, position, chain, amount_raw from moved where place is null
    )
    insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw, block_number, block_hash)
    select ${tenantId}, wallet_id, asset_id, position, ${at}, amount_raw, block_number, block_hash from moved
    order by wallet_id, asset_id, position`.execute(trx);
}

/** Whether the source of a series is followed and was never read, so that no balance says nothing. */
function isUnread(tenantId: string): ReturnType<typeof sql> {
  return sql`exists (
    select from wallet_chains c
    where c.tenant_id = ${tenantId} and c.wallet_id = s.wallet_id and c.chain = s.chain and not exists (
      select from sources o
      where o.tenant_id = c.tenant_id and o.wallet_id = c.wallet_id and o.chain = c.chain
        and o.kind = case s.position when 'stake' then 'stake' else 'balances' end and o.observed_at is not null
    )
  )`;
}

/** Only what has changed since it was last written down. What is held no more keeps the last word on it: nobody can judge what it claims to be worth by then. */
async function saveExclusions(trx: Transaction<Schema>, tenantId: string, { at, excludedAssetIds }: NewSnapshot): Promise<void> {
  await sql`
    with last as (
      select distinct on (asset_id) asset_id, is_excluded from exclusion_points
      where tenant_id = ${tenantId} order by asset_id, at desc
    ), now as (
      select unnest(${[...excludedAssetIds]}::uuid[]) as asset_id
    )
    insert into exclusion_points (tenant_id, asset_id, at, is_excluded)
    select ${tenantId}, coalesce(n.asset_id, l.asset_id), ${at}, n.asset_id is not null
    from now n full join last l on l.asset_id = n.asset_id
    where coalesce(l.is_excluded, false) <> (n.asset_id is not null) and (n.asset_id is not null or exists (
      select from balances b where b.tenant_id = ${tenantId} and b.asset_id = l.asset_id and b.amount_raw > 0
    ))`.execute(trx);
}

/**
 * The prices and rates that are known now, each under the moment it was quoted; a clock of theirs that is ahead of ours does not make them unknown. A price takes the place of one that was quoted later, by a source that
 * fails by now, from this moment on.
 */
async function savePrices(trx: Transaction<Schema>, tenantId: string, at: Date): Promise<void> {
  // Once what is there no more, too, for the price it was left at.
  const known = sql`
    select p.asset_id, p.good_value, p.good_source, least(p.good_quoted_at, ${at}) as quoted_at
    from prices p join (select distinct asset_id from holding_series where tenant_id = ${tenantId}) h using (asset_id)
    where p.good_quoted_at is not null`;
  await sql`
    insert into price_points (asset_id, at, value, source)
    select k.asset_id, case when k.quoted_at <= last.at then ${at} else k.quoted_at end, k.good_value, k.good_source
    from (${known}) k left join lateral (${lastPrice(sql`k.asset_id`, at)}) last on true
    where last.at is null or k.quoted_at > last.at or k.good_value <> last.value
    order by k.asset_id on conflict do nothing`.execute(trx);
  await sql`
    insert into fx_points (currency, at, per_usd, source)
    select currency, least(quoted_at, ${at}), per_usd, source from fx_rates
    order by currency on conflict do nothing`.execute(trx);
}

type Bucket = { readonly tenantId: string; readonly snapshot: Snapshot; readonly bucket: 'hour' | 'day' };

/**
 * The bucket tells its last snapshot: what an earlier one of the same hour or day said is replaced. What was held in the bucket before and is not any more has a row as well, for the price it was left at.
 */
async function saveBucket(trx: Transaction<Schema>, { tenantId, snapshot, bucket }: Bucket): Promise<void> {
  const { at, grade, missing } = snapshot;
  const snapshots = sql.table(`snapshot_${bucket}s`);
  const assets = sql.table(`asset_${bucket}s`);
  const start = startOf(bucket, at);
  await sql`delete from ${snapshots} where tenant_id = ${tenantId} and bucket = ${start}`.execute(trx);
  await sql`
    insert into ${snapshots} (tenant_id, bucket, at, grade, missing)
    values (${tenantId}, ${start}, ${at}, ${grade}, ${toStored(missing)}::jsonb)`.execute(trx);
  await sql`
    with held as (${bucket === 'hour' ? sumSeries(tenantId) : readHour(tenantId, at)}), sold as (
      select asset_id from ${assets}
      where tenant_id = ${tenantId} and amount_raw > 0
        and bucket = (select max(bucket) from ${snapshots} where tenant_id = ${tenantId} and bucket < ${start})
      except select asset_id from held
    )
    insert into ${assets} (tenant_id, bucket, asset_id, amount_raw, price)
    select ${tenantId}, ${start}, now.asset_id, now.amount_raw, p.value
    from (select asset_id, amount_raw from held union all select asset_id, 0 from sold) now
    left join lateral (${lastPrice(sql`now.asset_id`, at)}) p on true`.execute(trx);
}

function lastPrice(assetId: ReturnType<typeof sql>, at: Date): ReturnType<typeof sql> {
  return sql`select value, at from price_points where asset_id = ${assetId} and at <= ${at} order by at desc limit 1`;
}

/** What has just been written, not the balances: these may have been read anew since. */
function sumSeries(tenantId: string): ReturnType<typeof sql> {
  return sql`select asset_id, sum(amount_raw) as amount_raw from holding_series where tenant_id = ${tenantId} and amount_raw > 0 group by asset_id`;
}

/** What has just been added up for the hour holds for the day too. */
function readHour(tenantId: string, at: Date): ReturnType<typeof sql> {
  return sql`select asset_id, amount_raw from asset_hours where tenant_id = ${tenantId} and bucket = ${startOf('hour', at)} and amount_raw > 0`;
}

function startOf(bucket: 'hour' | 'day', at: Date): ReturnType<typeof sql> {
  return sql`date_trunc(${bucket}, ${at}::timestamptz at time zone 'UTC') at time zone 'UTC'`;
}

function toStored(missing: readonly MissingSource[]): string {
  return JSON.stringify(missing);
}

/** What `take` stored of a missing source. */
export function fromStored({ observedAt, ...source }: StoredMissing): MissingSource {
  return { ...source, observedAt: observedAt === null ? null : new Date(observedAt) };
}
