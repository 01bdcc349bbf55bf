import { sql, type Transaction } from 'kysely';
import type { Schema } from '../schema.ts';

export type Stretch = {
  readonly from: Date;
  /** null: until the newest. */
  readonly to: Date | null;
  /** null: all. */
  readonly assetIds: readonly string[] | null;
};

/**
 * Writes the buckets of a stretch anew from the points: what was held at the snapshots in it, over all wallets, just as it was written when they were taken. A price that is there stays; one that is
 * not is looked for among those quoted by then. Running it again changes nothing.
 */
export async function rebuildBuckets(trx: Transaction<Schema>, tenantId: string, stretch: Stretch): Promise<void> {
  for (const slice of await cutByDays(trx, tenantId, stretch)) {
    for (const bucket of ['hour', 'day'] as const) await rebuild(trx, tenantId, { ...slice, assetIds: stretch.assetIds, bucket });
  }
}

type Slice = Pick<Stretch, 'from' | 'to'>;

/** The days of a stretch that have snapshots: one statement for all of them would take too long where there are many wallets. */
async function cutByDays(trx: Transaction<Schema>, tenantId: string, { from, to }: Stretch): Promise<readonly Slice[]> {
  const { rows } = await sql<Slice>`
    select greatest(bucket, ${from}::timestamptz) as from, least(bucket + interval '1 day' - interval '1 millisecond', ${to}::timestamptz) as to
    from snapshot_days
    where tenant_id = ${tenantId} and at >= ${from} and bucket <= coalesce(${to}::timestamptz, 'infinity'::timestamptz)
    order by bucket`.execute(trx);
  return rows;
}

/**
 * The bucket before the stretch tells what was sold in the first one of it, and the one behind has to tell what was sold since its last one: a row with nothing, for the price it
 * was left at.
 */
async function rebuild(
  trx: Transaction<Schema>,
  tenantId: string,
  { from, to, assetIds, bucket }: Stretch & { readonly bucket: 'hour' | 'day' },
): Promise<void> {
  const snapshots = sql.table(`snapshot_${bucket}s`);
  const assets = sql.table(`asset_${bucket}s`);
  const isCovered = (column: string) => sql`(${assetIds === null} or ${sql.ref(column)} = any(${[...(assetIds ?? [])]}::uuid[]))`;
  const until = to === null ? sql`'infinity'::timestamptz` : sql`${to}::timestamptz`;
  await sql`
    with edges as (
      select
        coalesce((select max(bucket) from ${snapshots} where tenant_id = ${tenantId} and at < ${from}), '-infinity') as first,
        coalesce((select min(bucket) from ${snapshots} where tenant_id = ${tenantId} and at > ${until}), 'infinity') as last
    ), target as (
      select s.bucket, s.at, lag(s.bucket) over (order by s.bucket) as previous
      from ${snapshots} s, edges where s.tenant_id = ${tenantId} and s.bucket between edges.first and edges.last
    ), held as (
      select t.bucket, s.asset_id, sum(p.amount_raw) as amount_raw
      from target t
      cross join holding_series s
      cross join lateral (
        select amount_raw from holding_points p
        where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position and p.at <= t.at
        order by p.at desc limit 1
      ) p
      where s.tenant_id = ${tenantId} and ${isCovered('s.asset_id')} and p.amount_raw > 0
      group by t.bucket, s.asset_id
    ), rows as (
      select t.bucket, t.at, h.asset_id, h.amount_raw from target t join held h on h.bucket = t.bucket where t.at >= ${from}
      union all
      select t.bucket, t.at, h.asset_id, 0 from target t join held h on h.bucket = t.previous
      where t.at >= ${from} and not exists (select from held now where now.bucket = t.bucket and now.asset_id = h.asset_id)
    ), gone as (
      delete from ${assets} a using target t
      where a.tenant_id = ${tenantId} and a.bucket = t.bucket and t.at >= ${from} and ${isCovered('a.asset_id')}
        and not exists (select from rows r where r.bucket = a.bucket and r.asset_id = a.asset_id)
    )
    insert into ${assets} as a (tenant_id, bucket, asset_id, amount_raw, price)
    select ${tenantId}, r.bucket, r.asset_id, r.amount_raw, (
      select p.value from price_points p where p.asset_id = r.asset_id and p.at <= r.at order by p.at desc limit 1
    )
    from rows r
    on conflict (tenant_id, bucket, asset_id) do update set amount_raw = excluded.amount_raw, price = coalesce(a.price, excluded.price)
    where (a.amount_raw, a.price) is distinct from (excluded.amount_raw, coalesce(a.price, excluded.price))`.execute(trx);
}
