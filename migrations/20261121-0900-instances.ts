import { type Kysely, sql } from 'kysely';

const UP = [
  // How often what a tenant sees has changed; the row of zeros stands for what all tenants share: assets, prices, currency rates. No reference to the
  // tenant, since that row has none.
  sql`create table data_versions (
    tenant_id uuid primary key,
    version bigint not null default 1
  ) with (fillfactor = 50)`,

  // When each wallet is to be read again on each of its chains, and who has taken it on until when.
  sql`create table wallet_schedules (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    due_at timestamptz(3) not null default now(),
    interval_seconds integer not null default 300 check (interval_seconds > 0),
    idle_streak integer not null default 0 check (idle_streak >= 0),
    claim_id uuid,
    claimed_until timestamptz(3),
    primary key (tenant_id, wallet_id, chain),
    foreign key (tenant_id, wallet_id, chain) references wallet_chains on delete cascade,
    check ((claim_id is null) = (claimed_until is null))
  ) with (fillfactor = 70)`,
  sql`create index wallet_schedules_due on wallet_schedules (chain, due_at)`,
  sql`create index wallet_schedules_claimed on wallet_schedules (claim_id) where claim_id is not null`,
  sql`insert into wallet_schedules (tenant_id, wallet_id, chain) select tenant_id, wallet_id, chain from wallet_chains`,

  // Who runs a refresh, and until when nobody else may take it over. Without a lease it is anybody's.
  sql`alter table refreshes add column runner_id uuid, add column lease_until timestamptz(3)`,
  sql`create index refreshes_to_resume on refreshes (lease_until) where status = 'running'`,
];

const DOWN = [
  sql`alter table refreshes drop column runner_id, drop column lease_until`,
  sql`drop table wallet_schedules`,
  sql`drop table data_versions`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of DOWN) await statement.execute(db);
}
