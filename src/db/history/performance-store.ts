import { type Kysely, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import type { SnapshotGrade } from '../../domain/history/snapshot.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { fromStored } from './snapshot-store.ts';

/** A snapshot that performance is told by: the last one of its hour or day (UTC). */
export type Moment = {
  readonly at: Date;
  readonly bucket: 'hour' | 'day';
  readonly grade: SnapshotGrade;
  readonly missing: readonly ReturnType<typeof fromStored>[];
  /** Whether an amount is another one than at the moment before. */
  readonly hasMoved: boolean;
};

/** What was held of an asset over all wallets, and its price then in US dollars, null where none was known. */
export type HoldingAt = {
  readonly place: number;
  readonly assetId: string;
  readonly amountRaw: Decimal;
  readonly price: Decimal | null;
};

/** What the owner says that an amount cost or brought. */
export type PricedEntry = {
  readonly walletId: string;
  readonly assetId: string;
  readonly occurredAt: Date;
  /** In smallest units; below zero for what went out. */
  readonly amountRaw: Decimal;
  readonly price: Decimal;
  readonly currency: string;
};

export type PerformanceStore = {
  /** The last snapshot that is told at or before a moment, or of all for null; undefined where there is none. */
  findEnd(tenantId: string, to: Date | null): Promise<Date | undefined>;
  /**
   * All moments until `to`, oldest first: the days, and within the days in which an amount moved also the hours in which it did, as long as they are kept. What came and went within one day is seen only on the days of
   * `ledgerMoments`. Always among them: the last one at or before `from`, and
   * the last one of all.
   */
  listMoments(
    tenantId: string,
    query: {
      readonly from: Date | null;
      readonly to: Date;
      readonly assetIds: readonly string[];
      readonly ledgerMoments: readonly Date[];
    },
  ): Promise<readonly Moment[]>;
  /** The amounts and prices of these assets at each moment, by its place in the list; no row for what was not held. */
  readHoldings(
    tenantId: string,
    query: { readonly moments: readonly Pick<Moment, 'at' | 'bucket'>[]; readonly assetIds: readonly string[] },
  ): Promise<readonly HoldingAt[]>;
  /** Prices in US dollars that were known at each moment, by its place in the list and the asset; no entry where none was. */
  readPrices(
    assetIds: readonly string[],
    moments: readonly Date[],
  ): Promise<readonly { readonly place: number; readonly assetId: string; readonly price: Decimal }[]>;
  /** The moments at which an entry of the ledger can count, or something was first held, in order: whatever moved at others is explained by nothing. */
  listLedgerMoments(
    tenantId: string,
    query: { readonly to: Date; readonly assetIds: readonly string[] },
  ): Promise<readonly Date[]>;
  /** The ledger's entries with a price of the owner's, oldest first. */
  listPricedEntries(
    tenantId: string,
    query: { readonly to: Date; readonly assetIds: readonly string[] },
  ): Promise<readonly PricedEntry[]>;
};

export function createPerformanceStore(db: TenantDb): PerformanceStore {
  return {
    async findEnd(tenantId, to) {
      const { rows } = await sql<{ at: Date | null }>`
        select max(at) as at from (
          (select at from snapshot_hours where ${isUntil(tenantId, to)} order by bucket desc limit 1)
          union all
          (select at from snapshot_days where ${isUntil(tenantId, to)} order by bucket desc limit 1)
        ) s`.execute(db.of(tenantId));
      return rows[0]?.at ?? undefined;
    },
    listMoments: (tenantId, query) => listMoments(db.of(tenantId), tenantId, query),
    async readHoldings(tenantId, { moments, assetIds }) {
      const found = await Promise.all(
        (['hour', 'day'] as const).map((bucket) => readBuckets(db.of(tenantId), tenantId, { bucket, moments, assetIds })),
      );
      return found.flat();
    },
    async readPrices(assetIds, moments) {
      const { rows } = await sql<{ place: number; asset_id: string; value: string }>`
        select m.place::int - 1 as place, a.asset_id, p.value
        from unnest(${moments.map((moment) => moment.toISOString())}::timestamptz[]) with ordinality as m (at, place)
        cross join unnest(${[...assetIds]}::uuid[]) as a (asset_id)
        cross join lateral (
          select value from price_points p where p.asset_id = a.asset_id and p.at <= m.at order by p.at desc limit 1
        ) p`.execute(db.all);
      return rows.map(({ place, asset_id: assetId, value }) => ({ place, assetId, price: new Decimal(value) }));
    },
    listLedgerMoments: (tenantId, query) => listLedgerMoments(db.of(tenantId), tenantId, query),
    async listPricedEntries(tenantId, { to, assetIds }) {
      const rows = await db
        .of(tenantId)
        .selectFrom('ledger_entries')
        .select(['wallet_id', 'asset_id', 'occurred_at', 'amount_raw', 'price', 'price_currency'])
        .where('tenant_id', '=', tenantId)
        .where('price', 'is not', null)
        .where('occurred_at', '<=', to)
        .where(sql<boolean>`asset_id = any(${[...assetIds]}::uuid[])`)
        .orderBy('occurred_at')
        .orderBy('id')
        .execute();
      return rows.map((row) => ({
        walletId: row.wallet_id,
        assetId: row.asset_id,
        occurredAt: row.occurred_at,
        amountRaw: new Decimal(row.amount_raw),
        price: new Decimal(row.price ?? 0),
        currency: row.price_currency ?? 'USD',
      }));
    },
  };
}

/** An entry counts where it happened, or where the amounts show it: a point that was read at an earlier block than its time says tells it with the next. */
async function listLedgerMoments(
  db: Kysely<Schema>,
  tenantId: string,
  { to, assetIds }: Parameters<PerformanceStore['listLedgerMoments']>[1],
): Promise<readonly Date[]> {
  const ids = sql`${[...assetIds]}::uuid[]`;
  const points = (holding: string, since: ReturnType<typeof sql>, count: number): ReturnType<typeof sql> => sql`
    select p.at from holding_points p
    where p.tenant_id = ${tenantId} and p.wallet_id = ${sql.ref(`${holding}.wallet_id`)} and p.asset_id = ${sql.ref(`${holding}.asset_id`)}
      and p.position = position.name and p.at >= ${since} and p.at <= ${to}
    order by p.at limit ${count}`;
  const { rows } = await sql<{ at: Date }>`
    select at from (
      select p.at from holding_series s
      cross join lateral (select s.position as name) position
      cross join lateral (${points('s', sql`'-infinity'::timestamptz`, 1)}) p
      where s.tenant_id = ${tenantId} and s.asset_id = any(${ids})
      union
      select moment.at from ledger_entries e
      cross join (values ('wallet'), ('stake')) position (name)
      cross join lateral (select e.occurred_at as at union all (${points('e', sql`e.occurred_at`, 2)})) moment
      where e.tenant_id = ${tenantId} and e.occurred_at <= ${to} and e.asset_id = any(${ids})
    ) m
    order by at`.execute(db);
  return rows.map((row) => row.at);
}

/** A bucket's last snapshot lies in it, so that the bucket may begin before the moment and its snapshot be later. */
function isUntil(tenantId: string, to: Date | null): ReturnType<typeof sql> {
  return to === null ? sql`tenant_id = ${tenantId}` : sql`tenant_id = ${tenantId} and bucket <= ${to} and at <= ${to}`;
}

type MomentRow = {
  readonly at: Date;
  readonly bucket: Moment['bucket'];
  readonly grade: SnapshotGrade;
  readonly missing: readonly Parameters<typeof fromStored>[0][];
  readonly has_moved: boolean;
};

/**
 * What moved is found in the days first. The hours of such a day are then compared with each other, the first one with the close of the day before, which stands behind that day's hours in the order of keys.
 */
async function listMoments(
  db: Kysely<Schema>,
  tenantId: string,
  { from, to, assetIds, ledgerMoments }: Parameters<PerformanceStore['listMoments']>[1],
): Promise<readonly Moment[]> {
  const assets = sql`tenant_id = ${tenantId} and asset_id = any(${[...assetIds]}::uuid[]) and bucket <= ${to}`;
  const { rows } = await sql<MomentRow>`
    with days as (
      select bucket, asset_id, amount_raw,
        amount_raw <> coalesce(lag(amount_raw) over (partition by asset_id order by bucket), 0) as has_moved
      from asset_days where ${assets}
    ), moved_days as (
      select bucket from days where has_moved union select unnest(${toDays(ledgerMoments)}::timestamptz[])
    ), hours as (
      select bucket, is_day, amount_raw <> coalesce(lag(amount_raw) over (partition by asset_id order by key, is_day desc), 0) as has_moved
      from (
        select bucket + interval '24 hours' as key, true as is_day, bucket, asset_id, amount_raw from days
        union all
        select h.bucket, false, h.bucket, h.asset_id, h.amount_raw from asset_hours h
        join moved_days d on h.bucket >= d.bucket and h.bucket < d.bucket + interval '24 hours'
        where ${sql`h.tenant_id = ${tenantId} and h.asset_id = any(${[...assetIds]}::uuid[]) and h.bucket <= ${to}`}
      ) b
    ), moved_hours as (
      select distinct bucket from hours where has_moved and not is_day
    ), found as (
      select at, 'day' as bucket, grade, missing, s.bucket in (select bucket from moved_days) as has_moved
      from snapshot_days s where ${isUntil(tenantId, to)}
      union all
      select at, 'hour', grade, missing, true from snapshot_hours s
      where ${isUntil(tenantId, to)} and bucket in (select bucket from moved_hours)
      union all
      (select at, 'hour', grade, missing, true from snapshot_hours s where ${isUntil(tenantId, to)} order by bucket desc limit 1)
      union all
      (select at, 'hour', grade, missing, true from snapshot_hours s where ${isUntil(tenantId, from ?? to)} order by bucket desc limit 1)
    )
    select distinct on (at) at, bucket, grade, missing, has_moved from found order by at, bucket, has_moved desc`.execute(db);
  return rows.map(({ at, bucket, grade, missing, has_moved: hasMoved }) => ({
    at,
    bucket,
    grade,
    missing: missing.map(fromStored),
    hasMoved,
  }));
}

/** When their days (UTC) begin. */
function toDays(moments: readonly Date[]): readonly string[] {
  return [...new Set(moments.map((moment) => `${moment.toISOString().slice(0, 10)}T00:00:00Z`))];
}

type HoldingRow = {
  readonly place: number;
  readonly asset_id: string;
  readonly amount_raw: string;
  readonly price: string | null;
};

async function readBuckets(
  db: Kysely<Schema>,
  tenantId: string,
  { bucket, moments, assetIds }: Parameters<PerformanceStore['readHoldings']>[1] & { readonly bucket: Moment['bucket'] },
): Promise<readonly HoldingAt[]> {
  const wanted = moments.flatMap((moment, place) => (moment.bucket === bucket ? [{ place, at: moment.at.toISOString() }] : []));
  if (wanted.length === 0) return [];
  const { rows } = await sql<HoldingRow>`
    select m.place, b.asset_id, b.amount_raw, b.price
    from unnest(${wanted.map(({ place }) => place)}::int[], ${wanted.map(({ at }) => at)}::timestamptz[]) as m (place, at)
    join ${sql.table(`asset_${bucket}s`)} b
      on b.tenant_id = ${tenantId} and b.bucket = date_trunc(${bucket}, m.at at time zone 'UTC') at time zone 'UTC'
    where b.asset_id = any(${[...assetIds]}::uuid[])
    order by m.place`.execute(db);
  return rows.map(({ place, asset_id: assetId, amount_raw: amountRaw, price }) => ({
    place,
    assetId,
    amountRaw: new Decimal(amountRaw),
    price: price === null ? null : new Decimal(price),
  }));
}
