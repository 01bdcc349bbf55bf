import { type Kysely, sql } from 'kysely';

const UP = [
  // What chains are asked with beside the endpoints of the configuration. The URL may hold a key.
  sql`create table rpc_endpoints (
    tenant_id uuid not null references tenants on delete cascade,
    id uuid not null default uuidv7(),
    chain text not null,
    url text not null check (length(url) between 1 and 2048),
    created_at timestamptz(3) not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, chain, url)
  )`,
  sql`select secure_tenant_rows('rpc_endpoints')`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('rpc_endpoints').execute();
}
