import { type Kysely, sql } from 'kysely';

const UP = [
  // What a tenant may have or ask for at the most, where that is not what any tenant may (null).
  sql`create table tenant_quotas (
    tenant_id uuid primary key references tenants on delete cascade,
    wallets integer check (wallets >= 0),
    requests_per_minute integer check (requests_per_minute > 0),
    refreshes_per_hour integer check (refreshes_per_hour >= 0),
    updated_at timestamptz(3) not null default now()
  )`,
  sql`select secure_tenant_rows('tenant_quotas')`,
  // Nobody raises what they may themselves.
  sql`do $$ begin
    if exists (select from pg_roles where rolname = 'chainfolio_app') then
      revoke insert, update, delete on tenant_quotas from chainfolio_app;
    end if;
  end $$`,
  // For taking turns: the longest overdue wallet of each tenant.
  sql`create index wallet_schedules_by_tenant on wallet_schedules (chain, tenant_id, due_at)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index wallet_schedules_by_tenant`.execute(db);
  await db.schema.dropTable('tenant_quotas').execute();
}
