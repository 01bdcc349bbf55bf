import { type Kysely, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import type { Schema } from '../schema.ts';
import { isUuid } from '../uuid.ts';
import type { HistoryStore, SnapshotAt, ValueAt } from './history-store.ts';
import { ruleRows } from './rule-rows.ts';

type Query = Parameters<HistoryStore['readPoints']>[1];
type Sql = ReturnType<typeof sql>;
type ValueRow = { readonly place: number; readonly key: string | null; readonly usd_value: string; readonly unpriced: string };

/**
 * Values at moments from the points: what each series held at the first of them, and from then on only what moved. So the cost follows the series, their moves, and the assets times the moments,
 * not the series times the moments. Where far more moved than is shown, each amount is looked up instead, so that the cost follows neither.
 */
export async function readPoints(db: Kysely<Schema>, tenantId: string, query: Query): Promise<readonly ValueAt[]> {
  const { snapshots, rules, groupBy } = query;
  const key = groupBy === 'total' ? sql`null::uuid` : sql.ref(groupBy === 'asset' ? 's.asset_id' : 's.wallet_id');
  const isAsked = isAskedFor(tenantId, query);
  const isDense = await hasManyMoves(db, { snapshots, isAsked, tenantId });
  const { isOfSeries, last } = pointsOf(tenantId);
  const lookedUp = sql`
      select s.id, s.key, s.asset_id, m.n, p.amount_raw from series s cross join moment m cross join lateral (${last(sql`m.at`)}) p`;
  const followed = sql`
      select s.id, s.key, s.asset_id, 1 as n, p.amount_raw from series s cross join edges e cross join lateral (${last(sql`e.first`)}) p
      union all
      select * from (
        select distinct on (s.id, n) s.id, s.key, s.asset_id, width_bucket(p.at - interval '1 ms', e.ats) + 1 as n, p.amount_raw
        from series s cross join edges e join holding_points p on ${isOfSeries} and p.at > e.first and p.at <= e.last
        order by s.id, n, p.at desc
      ) moved`;
  const { rows } = await sql<ValueRow>`
    with moment as materialized (
      select place, at, row_number() over (order by at, place) as n from ${moments(snapshots)}
    ), edges as materialized (
      select array_agg(at order by n) as ats, min(at) as first, max(at) as last, max(n) as count from moment
    ), series as materialized (
      select row_number() over () as id, ${key} as key, s.wallet_id, s.asset_id, s.position from holding_series s where ${isAsked}
    ), told as (${isDense ? lookedUp : followed}
    ), moved as (
      select key, asset_id, n, sum(amount) as amount from (
        select key, asset_id, n, amount_raw - coalesce(lag(amount_raw) over (partition by id order by n), 0) as amount from told
      ) t group by key, asset_id, n
    ), held as (
      select key, asset_id, n, coalesce(lead(n) over pair, e.count + 1) as until, sum(amount) over pair as amount_raw
      from moved cross join edges e window pair as (partition by key, asset_id order by n)
    ), quotes as materialized (
      select a.asset_id, m.n, quote.value
      from (select distinct asset_id from held) a cross join moment m
      cross join lateral (
        select p.value from price_points p where p.asset_id = a.asset_id and p.at <= m.at order by p.at desc limit 1
      ) quote
    )
    select m.place, h.key,
      coalesce(sum(h.amount_raw * r.unit * coalesce(r.manual_price, q.value)), 0) as usd_value,
      count(*) filter (where h.amount_raw > 0 and (r.unit is null or coalesce(r.manual_price, q.value) is null)) as unpriced
    from held h
    join ${ruleRows(rules)} on r.asset_id = h.asset_id
    cross join lateral generate_series(h.n, h.until - 1) as each (n)
    join moment m on m.n = each.n
    left join quotes q on q.asset_id = h.asset_id and q.n = each.n
    group by m.place, h.key order by m.place limit ${query.limit ?? null}`.execute(db);
  return rows.map((row) => ({
    place: row.place,
    key: row.key,
    usdValue: new Decimal(row.usd_value),
    unpricedCount: Number(row.unpriced),
  }));
}

/** About as many moves are read in the time that one amount is looked up. */
const MOVES_PER_LOOKUP = 8;

/** Counts no further than it has to. */
async function hasManyMoves(
  db: Kysely<Schema>,
  {
    snapshots,
    isAsked,
    tenantId,
  }: { readonly snapshots: readonly SnapshotAt[]; readonly isAsked: Sql; readonly tenantId: string },
): Promise<boolean> {
  const times = snapshots.map(({ snapshot }) => snapshot.at.getTime());
  if (times.length === 0) return false;
  const { rows } = await sql<{ is_dense: boolean }>`
    with series as materialized (
      select s.wallet_id, s.asset_id, s.position from holding_series s where ${isAsked}
    ), worth as (
      select count(*) * ${times.length * MOVES_PER_LOOKUP}::bigint as moves from series
    )
    select count(*) > (select moves from worth) as is_dense from (
      select from series s join holding_points p on ${pointsOf(tenantId).isOfSeries}
        and p.at > ${new Date(Math.min(...times))} and p.at <= ${new Date(Math.max(...times))}
      limit (select moves + 1 from worth)
    ) p`.execute(db);
  return rows[0]?.is_dense === true;
}

function isAskedFor(tenantId: string, { rules, walletIds }: Query): Sql {
  return sql`s.tenant_id = ${tenantId} and s.asset_id = any(${rules.map(({ assetId }) => assetId)}::uuid[])
    and (${walletIds === null} or s.wallet_id = any(${walletIds?.filter(isUuid) ?? []}::uuid[]))`;
}

function pointsOf(tenantId: string): { readonly isOfSeries: Sql; last(at: Sql): Sql } {
  const isOfSeries = sql`p.tenant_id = ${tenantId} and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position`;
  return {
    isOfSeries,
    last: (at) => sql`select p.amount_raw from holding_points p where ${isOfSeries} and p.at <= ${at} order by p.at desc limit 1`,
  };
}

function moments(snapshots: readonly SnapshotAt[]): ReturnType<typeof sql> {
  return sql`unnest(
    ${snapshots.map(({ place }) => place)}::int[],
    ${snapshots.map(({ snapshot }) => snapshot.at.toISOString())}::timestamptz[]
  ) as m (place, at)`;
}
