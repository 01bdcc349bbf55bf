import { type Kysely, sql } from 'kysely';

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
  ...['event_counters', 'events'].map((table) => sql`select secure_tenant_rows(${sql.lit(table)})`),
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['events', 'event_counters']) await db.schema.dropTable(table).execute();
}
