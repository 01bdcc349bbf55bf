import { type Kysely, sql } from 'kysely';

const STATEMENTS = [
  sql`create table tenants (
    id uuid primary key default uuidv7(),
    name text not null,
    created_at timestamptz(3) not null default now()
  )`,
  sql`insert into tenants (id, name) values ('00000000-0000-0000-0000-000000000001', 'default')`,

  sql`create table wallets (
    tenant_id uuid not null references tenants on delete cascade,
    id uuid not null default uuidv7(),
    family text not null check (family in ('evm', 'solana')),
    address text not null check (address <> ''),
    name text,
    label text,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, family, address)
  )`,
  sql`create index wallets_by_age on wallets (tenant_id, created_at, id)`,

  sql`create table wallet_chains (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null check (chain <> ''),
    ordinal integer not null,
    primary key (tenant_id, wallet_id, chain),
    foreign key (tenant_id, wallet_id) references wallets on delete cascade
  )`,

  // What was read as one thing and succeeds or fails as one: the last good read, and the outcome of the last attempt.
  sql`create table sources (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    kind text not null check (kind in ('balances', 'stake')),
    observed_at timestamptz(3),
    block_number bigint check (block_number >= 0),
    block_hash text,
    attempted_at timestamptz(3) not null,
    outcome text not null check (outcome in ('ok', 'failed', 'unsupported')),
    error_code text,
    error_provider text,
    primary key (tenant_id, wallet_id, chain, kind),
    foreign key (tenant_id, wallet_id, chain) references wallet_chains on delete cascade,
    check ((outcome = 'ok') = (error_code is null)),
    check ((observed_at is null) = (block_number is null))
  )`,

  // Facts of the chains, shared by all tenants. A chain's own coin has no address, and there is one of it.
  sql`create table assets (
    id uuid primary key default uuidv7(),
    chain text not null check (chain <> ''),
    address text check (address <> ''),
    standard text not null check (standard in ('native', 'erc20', 'spl', 'spl-2022')),
    symbol text,
    name text,
    decimals smallint check (decimals between 0 and 255),
    flags text[] not null default '{}',
    listed boolean not null,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    unique nulls not distinct (chain, address),
    check ((address is null) = (standard = 'native'))
  )`,

  sql`create table asset_settings (
    tenant_id uuid not null references tenants on delete cascade,
    asset_id uuid not null references assets,
    tracked_at timestamptz(3),
    spam text check (spam in ('spam', 'not_spam')),
    manual_price numeric check (manual_price >= 0),
    manual_price_set_at timestamptz(3),
    accepted_price numeric check (accepted_price >= 0),
    accepted_at timestamptz(3),
    primary key (tenant_id, asset_id),
    check ((manual_price is null) = (manual_price_set_at is null)),
    check ((accepted_price is null) = (accepted_at is null))
  )`,
  sql`create index asset_settings_by_asset on asset_settings (asset_id)`,

  // numeric(78,0) holds any uint256. amount_raw null: never read yet, the error says why. Every refresh updates every row: the room
  // left in each page keeps that off the indexes (20,000 rows: 260 ms instead of 400 ms).
  sql`create table balances (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    asset_id uuid not null references assets,
    position text not null check (position in ('wallet', 'stake')),
    amount_raw numeric(78, 0) check (amount_raw >= 0),
    frozen_raw numeric(78, 0) not null default 0 check (frozen_raw >= 0),
    ui_amount numeric,
    ui_multiplier numeric,
    observed_at timestamptz(3),
    block_number bigint check (block_number >= 0),
    block_hash text,
    error_code text,
    error_provider text,
    primary key (tenant_id, wallet_id, chain, asset_id, position),
    foreign key (tenant_id, wallet_id, chain) references wallet_chains on delete cascade,
    check (amount_raw is not null or error_code is not null),
    check ((amount_raw is null) = (observed_at is null)),
    check ((observed_at is null) = (block_number is null)),
    check ((ui_amount is null) = (ui_multiplier is null))
  ) with (fillfactor = 70)`,
  sql`create index balances_by_asset on balances (asset_id)`,

  sql`create table prices (
    asset_id uuid primary key references assets,
    good_value numeric check (good_value > 0),
    good_source text,
    good_quoted_at timestamptz(3),
    suspect_value numeric check (suspect_value > 0),
    suspect_source text,
    suspect_quoted_at timestamptz(3),
    checked_at timestamptz(3),
    attempts jsonb not null default '[]',
    check (num_nulls(good_value, good_source, good_quoted_at) in (0, 3)),
    check (num_nulls(suspect_value, suspect_source, suspect_quoted_at) in (0, 3))
  )`,

  sql`create table fx_rates (
    currency text primary key,
    per_usd numeric not null check (per_usd > 0),
    source text not null,
    quoted_at timestamptz(3) not null
  )`,

  sql`create table refreshes (
    tenant_id uuid not null references tenants on delete cascade,
    id uuid not null default uuidv7(),
    status text not null check (status in ('running', 'finished', 'interrupted')),
    sources_key text not null,
    scope_wallet_ids uuid[],
    scope_chains text[],
    started_at timestamptz(3) not null default now(),
    deadline_at timestamptz(3) not null,
    finished_at timestamptz(3),
    primary key (tenant_id, id),
    check ((status = 'running') = (finished_at is null))
  )`,
  sql`create unique index refreshes_running on refreshes (tenant_id, sources_key) where status = 'running'`,
  sql`create index refreshes_by_age on refreshes (tenant_id, started_at)`,

  // No reference to the wallet: what a refresh did stays told after the wallet is gone.
  sql`create table refresh_sources (
    tenant_id uuid not null,
    refresh_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    kind text not null check (kind in ('balances', 'stake')),
    ordinal integer not null,
    status text not null check (status in ('pending', 'ok', 'failed', 'unsupported')),
    error_code text,
    error_provider text,
    primary key (tenant_id, refresh_id, wallet_id, chain, kind),
    foreign key (tenant_id, refresh_id) references refreshes on delete cascade
  )`,
];

const TABLES = [
  'refresh_sources',
  'refreshes',
  'fx_rates',
  'prices',
  'balances',
  'asset_settings',
  'assets',
  'sources',
  'wallet_chains',
  'wallets',
  'tenants',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await db.schema.dropTable(table).execute();
}
