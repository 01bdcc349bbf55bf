import { type Kysely, sql } from 'kysely';

const UP = [
  // Operators call tenants by their names.
  sql`create unique index tenants_by_name on tenants (name)`,
  // Of a key only what recognizes it: the secret itself is not kept. One that has ended stays to be seen for a while.
  sql`create table api_keys (
    tenant_id uuid not null references tenants on delete cascade,
    id text not null check (id ~ '^[0-9A-Za-z]{12}$'),
    name text not null,
    scopes text[] not null check (scopes <> '{}' and scopes <@ array['read:percent', 'read:values', 'write', 'admin']),
    secret_hash bytea not null check (length(secret_hash) = 32),
    created_at timestamptz(3) not null default now(),
    expires_at timestamptz(3),
    last_used_at timestamptz(3),
    revoked_at timestamptz(3),
    replaced_by text,
    primary key (tenant_id, id)
  )`,
  // Whose a key is has to be found out first.
  sql`create index api_keys_by_id on api_keys (id)`,
  sql`select secure_tenant_rows('api_keys')`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table api_keys`.execute(db);
  await sql`drop index tenants_by_name`.execute(db);
}
