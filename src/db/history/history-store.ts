import { type Kysely, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import type { Snapshot } from '../../domain/history/snapshot.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { isUuid } from '../uuid.ts';
import { readPoints } from './read-points.ts';
import { ruleRows } from './rule-rows.ts';
import { fromStored } from './snapshot-store.ts';

/** A stretch of time that a chart has one point for: its end tells the point. `from` is not part of it, `to` is. */
export type Interval = { readonly from: Date; readonly to: Date };

/** How an asset's past is valued: by what is known and said of it today. */
export type AssetRule = {
  readonly assetId: string;
  /** One smallest unit in whole ones, as digits: 0.000001. Null: its decimals are not known, so that it has no value. */
  readonly unit: string | null;
  /** The owner's own price for one whole, which takes the place of every other. */
  readonly manualPrice: string | null;
};

/** The last snapshot inside of each interval, by the interval's place in the list; none where there is none. */
export type SnapshotAt = { readonly place: number; readonly snapshot: Snapshot };

/** What the holdings of one group were worth at a snapshot. */
export type ValueAt = {
  readonly place: number;
  /** Asset or wallet id; null for all together. */
  readonly key: string | null;
  /** In US dollars; the sum of what had a price. */
  readonly usdValue: Decimal;
  /** Amounts above zero without a price or decimals. */
  readonly unpricedCount: number;
};

export type Resolution = 'raw' | 'hour' | 'day';

export type HistoryStore = HistoryReads & {
  /** What is read in it is of one and the same moment, so that no snapshot is thinned out between finding it and reading its values. `read` must wait for nothing else, since it holds a connection. */
  readTogether<T>(tenantId: string, read: (history: HistoryReads) => Promise<T>): Promise<T>;
};

export type HistoryReads = {
  /** Which snapshot each interval tells, out of all of them or the last ones of hours or days. */
  findSnapshots(tenantId: string, intervals: readonly Interval[], resolution: Resolution): Promise<readonly SnapshotAt[]>;
  /** All assets that the tenant ever held at a snapshot. */
  listAssetIds(tenantId: string): Promise<readonly string[]>;
  /** Those of the ids that are of wallets with a past, followed today or not. */
  findWallets(tenantId: string, walletIds: readonly string[]): Promise<readonly string[]>;
  /** Values over all wallets from the buckets of hours or days. Its cost follows the points asked for, not the snapshots kept. Assets without a rule are left out. */
  readBuckets(
    tenantId: string,
    query: {
      readonly snapshots: readonly SnapshotAt[];
      readonly rules: readonly AssetRule[];
      readonly bucket: 'hour' | 'day';
      readonly byAsset: boolean;
      /** Most values, of the earliest snapshots; all if not told. */
      readonly limit?: number | undefined;
    },
  ): Promise<readonly ValueAt[]>;
  /** Values at snapshots from the points themselves: of some wallets, by wallet, or between the hours. Its cost follows the points times the amounts held. */
  readPoints(
    tenantId: string,
    query: {
      readonly snapshots: readonly SnapshotAt[];
      readonly rules: readonly AssetRule[];
      readonly walletIds: readonly string[] | null;
      readonly groupBy: 'total' | 'asset' | 'wallet';
      readonly limit?: number | undefined;
    },
  ): Promise<readonly ValueAt[]>;
  /** Units of the currency that a dollar bought at each moment, as it was last known then. No entry where it was not, or only from long ago. */
  readRates(currency: string, moments: readonly Date[]): Promise<ReadonlyMap<number, Decimal>>;
};

/** Rates rest over holidays; one that is older is no rate of the moment. */
export const RATE_MAX_AGE_SECONDS = 7 * 86_400;

export function createHistoryStore(db: TenantDb): HistoryStore {
  return {
    ...createReads(db),
    readTogether: (tenantId, read) =>
      db
        .of(tenantId)
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((trx) => read(createReads({ of: () => trx, all: trx }))),
  };
}

function createReads(db: TenantDb): HistoryReads {
  return {
    findSnapshots: (tenantId, intervals, resolution) => findSnapshots(db.of(tenantId), { tenantId, intervals, resolution }),
    listAssetIds: (tenantId) => listAssetIds(db.of(tenantId), tenantId),
    async findWallets(tenantId, walletIds) {
      const { rows } = await sql<{ id: string }>`
        select w.id from unnest(${walletIds.filter(isUuid)}::uuid[]) as w (id)
        where exists (select from holding_series s where s.tenant_id = ${tenantId} and s.wallet_id = w.id)`.execute(
        db.of(tenantId),
      );
      return rows.map((row) => row.id);
    },
    readBuckets: (tenantId, query) => readBuckets(db.of(tenantId), tenantId, query),
    readPoints: (tenantId, query) => readPoints(db.of(tenantId), tenantId, query),
    async readRates(currency, moments) {
      const { rows } = await sql<{ place: number; per_usd: string }>`
        select m.place::int - 1 as place, f.per_usd
        from unnest(${moments.map((moment) => moment.toISOString())}::timestamptz[]) with ordinality as m (at, place)
        cross join lateral (
          select per_usd, at from fx_points where currency = ${currency} and at <= m.at order by at desc limit 1
        ) f
        where f.at > m.at - make_interval(secs => ${RATE_MAX_AGE_SECONDS})`.execute(db.all);
      return new Map(rows.map((row) => [row.place, new Decimal(row.per_usd)]));
    },
  };
}

/** From one asset to the next by the key, however many wallets hold it. */
async function listAssetIds(db: Kysely<Schema>, tenantId: string): Promise<readonly string[]> {
  const next = (after: ReturnType<typeof sql>): ReturnType<typeof sql> => sql`
    select asset_id from holding_series where tenant_id = ${tenantId} ${after} order by asset_id limit 1`;
  const { rows } = await sql<{ asset_id: string }>`
    with recursive held as (
      (${next(sql``)})
      union all
      select following.asset_id from held cross join lateral (${next(sql`and asset_id > held.asset_id`)}) following
    )
    select asset_id from held`.execute(db);
  return rows.map((row) => row.asset_id);
}

const SNAPSHOT_TABLES = { raw: 'snapshots', hour: 'snapshot_hours', day: 'snapshot_days' } as const;

async function findSnapshots(
  db: Kysely<Schema>,
  query: { readonly tenantId: string; readonly intervals: readonly Interval[]; readonly resolution: Resolution },
): Promise<readonly SnapshotAt[]> {
  const { tenantId, intervals, resolution } = query;
  const table = sql.table(SNAPSHOT_TABLES[resolution]);
  // A bucket's last snapshot lies in it, so that the bucket may begin before the interval does.
  const order = sql.ref(resolution === 'raw' ? 's.at' : 's.bucket');
  const earliest = resolution === 'raw' ? sql`i.since` : sql`i.since - ${`1 ${resolution}`}::interval`;
  const { rows } = await sql<{ place: number } & Stored>`
    select i.place::int - 1 as place, s.at, s.grade, s.missing
    from unnest(
      ${intervals.map(({ from }) => from.toISOString())}::timestamptz[],
      ${intervals.map(({ to }) => to.toISOString())}::timestamptz[]
    ) with ordinality as i (since, until, place)
    cross join lateral (
      select at, grade, missing from ${table} s
      where tenant_id = ${tenantId} and ${order} > ${earliest} and ${order} <= i.until and s.at <= i.until and s.at > i.since
      order by ${order} desc limit 1
    ) s
    order by i.place`.execute(db);
  return rows.map(({ place, at, grade, missing }) => ({ place, snapshot: { at, grade, missing: missing.map(fromStored) } }));
}

type Stored = { readonly at: Date; readonly grade: Snapshot['grade']; readonly missing: Parameters<typeof fromStored>[0][] };
type ValueRow = { readonly place: number; readonly key: string | null; readonly usd_value: string; readonly unpriced: string };

async function readBuckets(
  db: Kysely<Schema>,
  tenantId: string,
  { snapshots, rules, bucket, byAsset, limit }: Parameters<HistoryStore['readBuckets']>[1],
): Promise<readonly ValueAt[]> {
  const { rows } = await sql<ValueRow>`
    select m.place, ${byAsset ? sql`h.asset_id` : sql`null`} as key, ${VALUE} as usd_value, ${UNPRICED} as unpriced
    from ${bucketsOf(snapshots, bucket)}
    cross join lateral (${inBucket(tenantId, bucket, sql`m.bucket`)}) h
    join ${ruleRows(rules)} on r.asset_id = h.asset_id
    group by m.place${byAsset ? sql`, h.asset_id` : sql``}
    order by m.place limit ${limit ?? null}`.execute(db);
  return rows.map(toValueAt);
}

/** Exact: no division, and numeric multiplies without rounding. */
const VALUE = sql`coalesce(sum(h.amount_raw * r.unit * coalesce(r.manual_price, h.price)), 0)`;
const UNPRICED = sql`count(*) filter (where h.amount_raw > 0 and (r.unit is null or coalesce(r.manual_price, h.price) is null))`;

/** The snapshots by the buckets that tell them. */
function bucketsOf(snapshots: readonly SnapshotAt[], bucket: 'hour' | 'day'): ReturnType<typeof sql> {
  const length = BUCKET_MS[bucket];
  const starts = snapshots.map(({ snapshot }) => new Date(Math.floor(snapshot.at.getTime() / length) * length).toISOString());
  return sql`unnest(
    ${snapshots.map(({ place }) => place)}::int[],
    ${starts}::timestamptz[]
  ) as m (place, bucket)`;
}

/** `offset 0` keeps the database from reading all buckets there are to pick some of them. */
function inBucket(tenantId: string, bucket: 'hour' | 'day', start: ReturnType<typeof sql>): ReturnType<typeof sql> {
  return sql`
    select asset_id, amount_raw, price from ${sql.table(`asset_${bucket}s`)} where tenant_id = ${tenantId} and bucket = ${start} offset 0`;
}

const BUCKET_MS = { hour: 3_600_000, day: 86_400_000 } as const;

function toValueAt({ place, key, usd_value: usdValue, unpriced }: ValueRow): ValueAt {
  return { place, key, usdValue: new Decimal(usdValue), unpricedCount: Number(unpriced) };
}
