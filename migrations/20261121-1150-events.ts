import { type Kysely, sql } from 'kysely';

const TABLES = ['event_counters', 'events', 'stale_sources', 'snapshot_gaps'];

const UP = [
  // The number of the last event of a tenant.
  sql`create table event_counters (
    tenant_id uuid primary key references tenants on delete cascade,
    last_seq bigint not null check (last_seq > 0)
  )`,
  // What happened, in the order in which it came to be seen. Old ones are deleted.
  sql`create table events (
    tenant_id uuid not null references tenants on delete cascade,
    seq bigint not null,
    id uuid not null default uuidv7(),
    type text not null,
    data jsonb not null,
    occurred_at timestamptz(3) not null default now(),
    primary key (tenant_id, seq)
  )`,
  sql`create index events_old on events (occurred_at)`,
  // Sources of which it was told that they are stale, and not yet that they are no more.
  sql`create table stale_sources (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    kind text not null,
    told_at timestamptz(3) not null default now(),
    primary key (tenant_id, wallet_id, chain, kind),
    foreign key (tenant_id, wallet_id, chain) references wallet_chains on delete cascade
  )`,
  // Up to when it was told that snapshots were missed.
  sql`create table snapshot_gaps (
    tenant_id uuid primary key references tenants on delete cascade,
    told_through timestamptz(3) not null
  )`,
  ...TABLES.map((table) => sql`select secure_tenant_rows(${sql.lit(table)})`),
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES.toReversed()) await db.schema.dropTable(table).execute();
}
