import { type Kysely, sql } from 'kysely';

const TABLES_OF_SNAPSHOTS = ['snapshots', 'snapshot_hours', 'snapshot_days'];

const UP = [
  // When something was written into it that was not known at its moment.
  ...TABLES_OF_SNAPSHOTS.map((table) => sql`alter table ${sql.table(table)} add column healed_at timestamptz(3)`),
  // Gaps that may be filled; old prices cannot, nor what no source can read.
  sql`create index snapshots_with_gaps on snapshots (at)
    where missing @? '$[*] ? (@.kind == "balances" && @.reason != "unsupported")'`,
  // When a gap could not be filled the last time.
  sql`create table healing_attempts (
    tenant_id uuid not null,
    at timestamptz(3) not null,
    chain text not null,
    attempted_at timestamptz(3) not null,
    primary key (tenant_id, at, chain),
    foreign key (tenant_id, at) references snapshots on delete cascade
  )`,

  // Since when a wallet is followed on a chain: what it held there before is not known.
  sql`alter table wallet_chains add column created_at timestamptz(3) not null default now()`,
  sql`update wallet_chains c set created_at = w.created_at from wallets w where w.tenant_id = c.tenant_id and w.id = c.wallet_id`,

  // Wallets that are followed no more: what they held stays told, and one that is added again goes on with it, so that nothing is counted twice.
  sql`create table removed_wallets (
    tenant_id uuid not null references tenants on delete cascade,
    family text not null,
    address text not null,
    wallet_id uuid not null,
    primary key (tenant_id, family, address)
  )`,

  // The past of a wallet that was asked for, newest day first: `next_day` is the next one to be read. `not_before`: a pause after a failure; `attempts` counts those since a day was done.
  sql`create table backfills (
    tenant_id uuid not null,
    wallet_id uuid not null,
    status text not null check (status in ('running', 'finished', 'cancelled')),
    from_day date not null,
    through_day date,
    next_day date,
    days_total integer not null check (days_total >= 0),
    days_done integer not null default 0 check (days_done between 0 and days_total),
    unpriced_count integer not null default 0,
    price_error_code text,
    attempts integer not null default 0,
    started_at timestamptz(3) not null default now(),
    finished_at timestamptz(3),
    not_before timestamptz(3),
    runner_id uuid,
    lease_until timestamptz(3),
    primary key (tenant_id, wallet_id),
    foreign key (tenant_id, wallet_id) references wallets on delete cascade
  )`,
  // `known_from`: the first moment at which the wallet's amounts on the chain were known before; null when there is none.
  sql`create table backfill_chains (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    ordinal integer not null,
    known_from timestamptz(3),
    status text not null check (status in ('pending', 'ok', 'failed', 'unsupported')),
    reached_day date,
    error_code text,
    error_provider text,
    primary key (tenant_id, wallet_id, chain),
    foreign key (tenant_id, wallet_id) references backfills on delete cascade
  )`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['backfill_chains', 'backfills', 'healing_attempts', 'removed_wallets'])
    await db.schema.dropTable(table).execute();
  await sql`drop index snapshots_with_gaps`.execute(db);
  await sql`alter table wallet_chains drop column created_at`.execute(db);
  for (const table of TABLES_OF_SNAPSHOTS) await sql`alter table ${sql.table(table)} drop column healed_at`.execute(db);
}
