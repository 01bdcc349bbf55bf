import { type Kysely, sql } from 'kysely';

const UP = [
  // One row for each time a tenant's holdings were written down: whether every source had been read, and if not, what was missing. `at` only ever grows; `taken_at` is what the clock said, by which the next one is due.
  sql`create table snapshots (
    tenant_id uuid not null references tenants on delete cascade,
    at timestamptz(3) not null,
    taken_at timestamptz(3) not null default now(),
    grade text not null check (grade in ('full', 'partial')),
    missing jsonb not null default '[]',
    primary key (tenant_id, at)
  )`,

  // What ever had a point below, and the amount of its last one, so that neither need be looked for among the points.
  sql`create table holding_series (
    tenant_id uuid not null references tenants on delete cascade,
    wallet_id uuid not null,
    asset_id uuid not null references assets,
    position text not null check (position in ('wallet', 'stake')),
    chain text not null,
    amount_raw numeric(78, 0) not null check (amount_raw >= 0),
    primary key (tenant_id, asset_id, wallet_id, position)
  ) with (fillfactor = 50)`,
  sql`create index holding_series_by_asset on holding_series (asset_id)`,

  // An amount from this snapshot on, until the next row. Amounts that did not move have no row. No reference to the wallet: what it held stays told when it is followed no more.
  sql`create table holding_points (
    tenant_id uuid not null,
    wallet_id uuid not null,
    asset_id uuid not null,
    position text not null,
    at timestamptz(3) not null,
    amount_raw numeric(78, 0) not null check (amount_raw >= 0),
    block_number bigint,
    block_hash text,
    primary key (tenant_id, wallet_id, asset_id, position, at)
  ) partition by range (at)`,

  // Since when an asset counted as spam, or was held back, and since when it did not any more. Charts go by what is said today; this tells why a total that was told then was another one.
  sql`create table exclusion_points (
    tenant_id uuid not null references tenants on delete cascade,
    asset_id uuid not null references assets,
    at timestamptz(3) not null,
    is_excluded boolean not null,
    primary key (tenant_id, asset_id, at)
  )`,
  sql`create index exclusion_points_by_asset on exclusion_points (asset_id)`,

  // Prices that snapshots used, by the moment they were quoted.
  sql`create table price_points (
    asset_id uuid not null,
    at timestamptz(3) not null,
    value numeric not null check (value > 0),
    source text not null,
    primary key (asset_id, at)
  ) partition by range (at)`,
  sql`create table fx_points (
    currency text not null,
    at timestamptz(3) not null,
    per_usd numeric not null check (per_usd > 0),
    source text not null,
    primary key (currency, at)
  )`,

  // The last snapshot of each hour and day (UTC), and what the tenant held of each asset then over all wallets, with the price that was known. A chart of a year reads the days, however many
  // snapshots there were.
  ...['hour', 'day'].flatMap((bucket) => [
    sql`create table ${sql.table(`snapshot_${bucket}s`)} (
      tenant_id uuid not null references tenants on delete cascade,
      bucket timestamptz(3) not null,
      at timestamptz(3) not null,
      grade text not null check (grade in ('full', 'partial')),
      missing jsonb not null default '[]',
      primary key (tenant_id, bucket)
    )`,
    sql`create table ${sql.table(`asset_${bucket}s`)} (
      tenant_id uuid not null,
      bucket timestamptz(3) not null,
      asset_id uuid not null references assets,
      amount_raw numeric not null check (amount_raw >= 0),
      price numeric check (price > 0),
      primary key (tenant_id, bucket, asset_id),
      foreign key (tenant_id, bucket) references ${sql.table(`snapshot_${bucket}s`)} on delete cascade
    )`,
    sql`create index ${sql.id(`asset_${bucket}s_by_asset`)} on ${sql.table(`asset_${bucket}s`)} (asset_id)`,
  ]),

  // Up to which day the past of a tenant has been thinned out to the last snapshots of hours and of days; the id of zeros stands for the prices that all share.
  sql`create table history_thinning (
    tenant_id uuid not null,
    bucket text not null check (bucket in ('hour', 'day')),
    through timestamptz(3) not null,
    primary key (tenant_id, bucket)
  )`,
];

const TABLES = [
  'history_thinning',
  'asset_days',
  'snapshot_days',
  'asset_hours',
  'snapshot_hours',
  'fx_points',
  'price_points',
  'exclusion_points',
  'holding_points',
  'holding_series',
  'snapshots',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await db.schema.dropTable(table).execute();
}
