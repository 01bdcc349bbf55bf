import { type Kysely, sql } from 'kysely';
import type { Interval } from '../history/history-store.ts';
import type { Schema } from '../schema.ts';
import type { LedgerFilter, LedgerSum } from './ledger-store.ts';
import { classifiedEntries, matches } from './select-entries.ts';

type SumQuery = LedgerFilter & { readonly intervals: readonly Interval[] };

/** What moved at one moment: the sum of the entries of one type that count there, or (`amounts`) what the amounts say. */
type SumRow = {
  readonly at: Date;
  readonly wallet_id: string;
  readonly asset_id: string;
  readonly type: Exclude<LedgerSum['type'], 'unexplained' | 'opening'> | 'amounts';
  readonly amount_raw: string;
  readonly is_first: boolean;
};

/**
 * Sums by interval, wallet, asset and type. All moments that matter are laid out in order: the ends of the intervals, and where something was first held, with the snapshot before. What moved is told from each to the next, and what
 * is left when the entries are taken off is told as well, so that the parts always add up to the difference of the amounts.
 */
export async function sumBetween(db: Kysely<Schema>, tenantId: string, query: SumQuery): Promise<readonly LedgerSum[]> {
  if (query.intervals.length === 0) return [];
  const rows = await readMoves(db, tenantId, query);
  return addUp(rows, query.intervals);
}

async function readMoves(db: Kysely<Schema>, tenantId: string, query: SumQuery): Promise<readonly SumRow[]> {
  const everyAsset = { ...query, assetIds: null };
  const { rows } = await sql<SumRow>`
    with recursive held as materialized (
      select s.wallet_id, s.chain, s.asset_id, s.position, first.at as first_at, first.block_number as first_block
      from holding_series s
      cross join lateral (
        select p.at, p.block_number from holding_points p where ${isOf('s', tenantId)} order by p.at limit 1
      ) first
      where s.tenant_id = ${tenantId} and ${matches('s', everyAsset)}
    ), started as (
      select wallet_id, chain, min(first_at) as at, min(first_block) as block from held group by wallet_id, chain
    ), opened as (
      select wallet_id, asset_id, min(first_at) as at from held where ${matches('held', query)} group by wallet_id, asset_id
    ), moments as materialized (
      ${moments(tenantId, query.intervals)}
    ), steps as (
      ${steps(tenantId, query)}
    ), moved as materialized (
      select wallet_id, asset_id, place, sum(moved) as amount_raw, max(block) as block from steps group by wallet_id, asset_id, place
    ), shown as materialized (
      ${SHOWN}
    ), told as (
      select wallet_id, asset_id, type, place, sum(amount_raw) as amount_raw from (${countedEntries(tenantId, query)}) counted
      group by wallet_id, asset_id, type, place
      union all
      select wallet_id, asset_id, 'amounts', place, amount_raw from moved where place > 1
    )
    select t.place_at as at, t.wallet_id, t.asset_id, t.type, t.amount_raw, t.place_at = o.at and t.type = 'amounts' as is_first
    from (select *, (select at from moments)[place] as place_at from told) t
    left join opened o using (wallet_id, asset_id)`.execute(db);
  return rows;
}

/** One row: the moments in order, and beside each the last snapshot that was taken until then. */
function moments(tenantId: string, intervals: readonly Interval[]): ReturnType<typeof sql> {
  const ends = intervals.flatMap(({ from, to }) => [from, to]).map((end) => end.toISOString());
  return sql`
    select array_agg(m.at order by m.at) as at, array_agg(coalesce(taken.at, '-infinity') order by m.at) as taken_at
    from (
      select e.at from unnest(${ends}::timestamptz[]) as e (at)
      union
      select moment.at
      from (select distinct at from opened) o
      cross join lateral (
        select o.at union all select max(s.at) from snapshots s where s.tenant_id = ${tenantId} and s.at < o.at
      ) moment
      where moment.at > (select min(at) from unnest(${ends}::timestamptz[]) as e (at))
        and moment.at < (select max(at) from unnest(${ends}::timestamptz[]) as e (at))
    ) m
    left join lateral (
      select s.at from snapshots s where s.tenant_id = ${tenantId} and s.at <= m.at order by s.at desc limit 1
    ) taken on true`;
}

/** What each holding was at the first moment, and at each later one by which it had moved: amounts that stay cost nothing. */
function steps(tenantId: string, query: SumQuery): ReturnType<typeof sql> {
  const point = (moment: ReturnType<typeof sql>): ReturnType<typeof sql> => sql`
    select p.amount_raw, p.block_number from holding_points p
    where ${isOf('s', tenantId)} and p.at <= ${moment} order by p.at desc limit 1`;
  return sql`
    select s.wallet_id, s.asset_id, s.position, 1 as place, coalesce(now.amount_raw, 0) as amount_raw, 0::numeric as moved,
      now.block_number as block
    from held s cross join moments m left join lateral (${point(sql`m.at[1]`)}) now on true
    where ${matches('s', query)}
    union all
    select s.wallet_id, s.asset_id, s.position, next.place, now.amount_raw, now.amount_raw - s.amount_raw, now.block_number
    from steps s cross join moments m
    cross join lateral (
      select width_bucket(p.at - interval '1 microsecond', m.at) + 1 as place from holding_points p
      where ${isOf('s', tenantId)} and p.at > m.at[s.place] and p.at <= m.at[array_upper(m.at, 1)] order by p.at limit 1
    ) next
    cross join lateral (${point(sql`m.at[next.place]`)}) now`;
}

/** Of each wallet and asset: the moments at which the amounts had moved, and how far they told the chain's story by then. */
const SHOWN = sql`
  select wallet_id, asset_id, array_agg(place order by place) as places, array_agg(block order by place) as blocks
  from (
    select wallet_id, asset_id, place, coalesce(max(block) over (partition by wallet_id, asset_id order by place), -1) as block
    from moved
  ) s group by wallet_id, asset_id`;

/**
 * Entries with the place of the moment they count at. What is older than the first that is known of its wallet on its chain is part of what was there then: a wallet is known from when it was added, or from an earlier
 * point that was read afterwards.
 */
function countedEntries(tenantId: string, query: SumQuery): ReturnType<typeof sql> {
  return sql`
    select e.wallet_id, e.asset_id, e.type, e.amount_raw, s.places[width_bucket(e.block_number - 1, s.blocks) + 1] as place
    from shown s
    join ${classifiedEntries(tenantId)} e on e.wallet_id = s.wallet_id and e.asset_id = s.asset_id
      and e.block_number > s.blocks[1] and e.block_number <= s.blocks[array_upper(s.blocks, 1)]
    join started on started.wallet_id = e.wallet_id and started.chain = e.chain
    where ${matches('e', query)} and (e.occurred_at > e.wallet_created_at or e.block_number > started.block)
    union all
    select e.wallet_id, e.asset_id, e.type, e.amount_raw, width_bucket(e.occurred_at - interval '1 microsecond', m.taken_at) + 1
    from moments m
    join ${classifiedEntries(tenantId)} e on e.block_number is null
      and e.occurred_at > m.taken_at[1] and e.occurred_at <= m.taken_at[array_upper(m.taken_at, 1)]
    left join started on started.wallet_id = e.wallet_id and started.chain = e.chain
    where ${matches('e', query)} and (e.occurred_at > e.wallet_created_at or e.occurred_at > started.at)`;
}

/** The points of one holding. */
function isOf(series: string, tenantId: string): ReturnType<typeof sql> {
  const column = (name: string): ReturnType<typeof sql> => sql`p.${sql.id(name)} = ${sql.ref(`${series}.${name}`)}`;
  return sql`p.tenant_id = ${tenantId} and ${column('wallet_id')} and ${column('asset_id')} and ${column('position')}`;
}

/** From moments to intervals, with what no entry explains. */
function addUp(rows: readonly SumRow[], intervals: readonly Interval[]): readonly LedgerSum[] {
  const sums = new Map<string, { sum: Omit<LedgerSum, 'amountRaw'>; amountRaw: bigint }>();
  const placesAt = new Map<number, readonly number[]>();
  const add = (row: SumRow, type: LedgerSum['type'], amountRaw: bigint): void => {
    for (const place of placesOf(placesAt, intervals, row.at)) {
      const key = `${place}/${row.wallet_id}/${row.asset_id}/${type}`;
      const known = sums.get(key) ?? { sum: { place, walletId: row.wallet_id, assetId: row.asset_id, type }, amountRaw: 0n };
      sums.set(key, { ...known, amountRaw: known.amountRaw + amountRaw });
    }
  };
  const firsts = new Set(rows.filter((row) => row.is_first).map(momentKey));
  for (const row of rows) {
    const amountRaw = BigInt(row.amount_raw);
    const rest = firsts.has(momentKey(row)) ? 'opening' : 'unexplained';
    if (row.type !== 'amounts') add(row, row.type, amountRaw);
    add(row, rest, row.type === 'amounts' ? amountRaw : -amountRaw);
  }
  return [...sums.values()]
    .flatMap(({ sum, amountRaw }) => (amountRaw === 0n ? [] : [{ ...sum, amountRaw }]))
    .toSorted((a, b) => a.place - b.place);
}

function momentKey(row: SumRow): string {
  return `${row.at.getTime()}/${row.wallet_id}/${row.asset_id}`;
}

/** The intervals that a moment lies in, looked for once. */
function placesOf(known: Map<number, readonly number[]>, intervals: readonly Interval[], at: Date): readonly number[] {
  const moment = at.getTime();
  const found = known.get(moment);
  if (found !== undefined) return found;
  const places = intervals.flatMap(({ from, to }, place) => (from.getTime() < moment && moment <= to.getTime() ? [place] : []));
  known.set(moment, places);
  return places;
}
