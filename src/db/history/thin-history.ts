import { type Kysely, sql } from 'kysely';
import { noteChange, SHARED_DATA_ID } from '../data-version.ts';
import type { Schema } from '../schema.ts';
import { inTransaction } from '../transaction.ts';

type Bucket = 'hour' | 'day';

/** A day (UTC) whose snapshots become the last ones of their buckets. */
type Window = { readonly bucket: Bucket; readonly from: Date; readonly until: Date };

/** Series or assets that one statement looks at, each with 288 points a day and more: about a second of work, and no lock for longer. */
const BATCH_SIZE = 100;
const DAY_MS = 86_400_000;
/** A quote may be so much older than the snapshot that used it first. */
const QUOTES_BEFORE_DAYS = 2;

/**
 * Lets go of what is older than it is kept, day by day and in batches; `history_thinning` notes how far that has come, so that nothing is looked at twice. Ends early, with nothing half
 * done that matters, when the signal fires. Running it again, or twice at once, changes nothing.
 */
export async function thinHistory(
  db: Kysely<Schema>,
  keep: { readonly rawDays: number; readonly hourlyDays: number },
  signal: AbortSignal,
): Promise<void> {
  for (const [bucket, days] of [['hour', keep.rawDays] as const, ['day', keep.hourlyDays] as const]) {
    const owners = await listOwners(db, bucket, days);
    for (const owner of owners) {
      for (const from of await listDays(db, owner)) {
        if (signal.aborted) return;
        const window = { bucket, from, until: new Date(from.getTime() + DAY_MS) };
        await thinWindow(db, owner.tenantId, window);
        await noteThrough(db, owner.tenantId, window);
      }
      await noteThrough(db, owner.tenantId, { bucket, until: owner.until });
    }
  }
}

type Owner = { readonly tenantId: string; readonly from: Date; readonly until: Date };

/** Who has days to be thinned: tenants, then what they share, which depends on the snapshots that are left to them. */
async function listOwners(db: Kysely<Schema>, bucket: Bucket, days: number): Promise<readonly Owner[]> {
  const { rows } = await sql<Owner>`
    with firsts as (
      select t.id, (select min(at) from snapshots s where s.tenant_id = t.id) as at from tenants t
    ), owners as (
      select id, at from firsts
      union all
      select ${SHARED_DATA_ID}, min(at) - make_interval(days => ${QUOTES_BEFORE_DAYS}) from firsts
    )
    select o.id as "tenantId", coalesce(h.through, day.first) as "from", day.last as until
    from owners o
    left join history_thinning h on h.tenant_id = o.id and h.bucket = ${bucket}
    cross join lateral (
      select date_trunc('day', o.at, 'UTC') as first, date_trunc('day', now(), 'UTC') - make_interval(days => ${days}) as last
    ) day
    where coalesce(h.through, day.first) < day.last
    order by o.id = ${SHARED_DATA_ID}, o.id`.execute(db);
  return rows;
}

/** The days on which something was written down; of prices those before as well, when they may have been quoted. */
async function listDays(db: Kysely<Schema>, { tenantId, from, until }: Owner): Promise<readonly Date[]> {
  const isShared = tenantId === SHARED_DATA_ID;
  const { rows } = await sql<{ day: Date }>`
    select distinct date_trunc('day', at, 'UTC') - make_interval(days => before) as day
    from snapshots cross join generate_series(0, ${isShared ? QUOTES_BEFORE_DAYS : 0}) as before
    where (${isShared} or tenant_id = ${tenantId}) and at >= ${from} and at < ${until} order by day`.execute(db);
  return rows.map(({ day }) => day);
}

async function thinWindow(db: Kysely<Schema>, tenantId: string, window: Window): Promise<void> {
  if (tenantId === SHARED_DATA_ID) await thinPrices(db, window);
  else {
    await thinSnapshots(db, tenantId, window);
    await thinHoldings(db, tenantId, window);
  }
}

async function noteThrough(
  db: Kysely<Schema>,
  tenantId: string,
  { bucket, until }: Pick<Window, 'bucket' | 'until'>,
): Promise<void> {
  await sql`
    insert into history_thinning as h (tenant_id, bucket, through) values (${tenantId}, ${bucket}, ${until})
    on conflict (tenant_id, bucket) do update set through = greatest(h.through, excluded.through)`.execute(db);
}

/** Of each bucket the last one stays, and hours go when only days are kept. */
async function thinSnapshots(db: Kysely<Schema>, tenantId: string, { bucket, from, until }: Window): Promise<void> {
  await inTransaction(db, async (trx) => {
    const { numAffectedRows: gone = 0n } = await sql`
      delete from snapshots s where s.tenant_id = ${tenantId} and s.at >= ${from} and s.at < ${until} and exists (
        select from snapshots later
        where later.tenant_id = s.tenant_id and later.at > s.at and later.at < ${endOf(bucket, 's.at')}
      )`.execute(trx);
    const { numAffectedRows: hours = 0n } =
      bucket === 'hour'
        ? { numAffectedRows: 0n }
        : await sql`delete from snapshot_hours where tenant_id = ${tenantId} and bucket >= ${from} and bucket < ${until}`.execute(
            trx,
          );
    if (gone + hours > 0n) await noteChange(trx, tenantId);
  });
}

/** An amount that no snapshot tells any more, since the next one of the same bucket came before any that is left. */
async function thinHoldings(db: Kysely<Schema>, tenantId: string, { bucket, from, until }: Window): Promise<void> {
  type Place = { wallet_id: string; asset_id: string; position: string };
  for (let after: Place | undefined; ; ) {
    const isAfter =
      after && sql`and (wallet_id, asset_id, position) > (${after.wallet_id}, ${after.asset_id}, ${after.position})`;
    const { rows } = await sql<Place>`
      select wallet_id, asset_id, position from holding_series where tenant_id = ${tenantId} ${isAfter ?? sql``}
      order by wallet_id, asset_id, position limit ${BATCH_SIZE}`.execute(db);
    after = rows.at(-1);
    if (after === undefined) return;
    await sql`
      delete from holding_points p using (
        select s.wallet_id, s.asset_id, s.position, h.at
        from unnest(
          ${rows.map((row) => row.wallet_id)}::uuid[], ${rows.map((row) => row.asset_id)}::uuid[], ${rows.map((row) => row.position)}::text[]
        ) as s (wallet_id, asset_id, position)
        join holding_points h on h.tenant_id = ${tenantId} and h.wallet_id = s.wallet_id and h.asset_id = s.asset_id and h.position = s.position
          and h.at >= ${from} and h.at < ${until}
        cross join lateral (
          select n.at from holding_points n
          where n.tenant_id = ${tenantId} and n.wallet_id = s.wallet_id and n.asset_id = s.asset_id and n.position = s.position and n.at > h.at
          order by n.at limit 1
        ) next
        where next.at < ${endOf(bucket, 'h.at')}
          and not exists (select from snapshots t where t.tenant_id = ${tenantId} and t.at >= h.at and t.at < next.at)
      ) gone
      where p.tenant_id = ${tenantId} and p.wallet_id = gone.wallet_id and p.asset_id = gone.asset_id and p.position = gone.position
        and p.at = gone.at and p.at >= ${from} and p.at < ${until}`.execute(db);
  }
}

/** A price or a rate that no snapshot of anybody goes by any more. */
async function thinPrices(db: Kysely<Schema>, { bucket, from, until }: Window): Promise<void> {
  // The moments of all snapshots of the day, once: how many of them come before each of two points tells whether any lies between these.
  const moments = sql`
    select array_agg(distinct s.at order by s.at) as ats from tenants t
    cross join lateral (select at from snapshots where tenant_id = t.id and at >= ${from} and at < ${until}) s`;
  const countBefore = (moment: string): ReturnType<typeof sql> =>
    sql`width_bucket(${sql.ref(moment)} - interval '1 ms', (select ats from moments))`;
  const isUnused = sql`next.at < ${endOf(bucket, 'h.at')} and coalesce(${countBefore('h.at')} = ${countBefore('next.at')}, true)`;
  for (let after: string | undefined; ; ) {
    const { rows } = await sql<{ id: string }>`
      select id from assets ${after === undefined ? sql`` : sql`where id > ${after}`} order by id limit ${BATCH_SIZE}`.execute(
      db,
    );
    after = rows.at(-1)?.id;
    if (after === undefined) break;
    await sql`
      with moments as materialized (${moments})
      delete from price_points p using (
        select h.asset_id, h.at from price_points h
        cross join lateral (select n.at from price_points n where n.asset_id = h.asset_id and n.at > h.at order by n.at limit 1) next
        where h.asset_id = any(${rows.map((row) => row.id)}::uuid[]) and h.at >= ${from} and h.at < ${until} and ${isUnused}
      ) gone
      where p.asset_id = gone.asset_id and p.at = gone.at and p.at >= ${from} and p.at < ${until}`.execute(db);
  }
  await sql`
    with moments as materialized (${moments})
    delete from fx_points p using (
      select h.currency, h.at from fx_points h
      cross join lateral (select n.at from fx_points n where n.currency = h.currency and n.at > h.at order by n.at limit 1) next
      where h.at >= ${from} and h.at < ${until} and ${isUnused}
    ) gone
    where p.currency = gone.currency and p.at = gone.at`.execute(db);
}

function endOf(bucket: Bucket, moment: string): ReturnType<typeof sql> {
  return sql`date_trunc(${bucket}, ${sql.ref(moment)}, 'UTC') + ${`1 ${bucket}`}::interval`;
}
