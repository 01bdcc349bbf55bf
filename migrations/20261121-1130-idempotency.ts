import { type Kysely, sql } from 'kysely';

/** Rows that clients change one by one: a change is taken only where nobody else has changed the row since the client read it. */
const VERSIONED = ['wallets', 'asset_settings', 'ledger_entries'];

const UP = [
  // What a client calls one of its writes, so that it is done once however often it is sent. `fingerprint` tells another write under the same name. `answer` is null while the write is under way; it is over
  // too when whoever does it has not renewed the lease.
  sql`create table idempotency_keys (
    tenant_id uuid not null references tenants on delete cascade,
    key text not null check (length(key) between 1 and 200),
    fingerprint text not null,
    attempt_id uuid not null,
    lease_until timestamptz(3) not null,
    answer text,
    created_at timestamptz(3) not null default now(),
    primary key (tenant_id, key)
  )`,
  sql`create index idempotency_keys_old on idempotency_keys (created_at)`,
  sql`select secure_tenant_rows('idempotency_keys')`,

  // What all processes know and nobody else: not the role that requests are served as, nor an export.
  sql`create table service_secrets (name text primary key, secret bytea not null)`,
  sql`insert into service_secrets values ('cursors', sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), 'UTF8')))`,
  sql`alter table service_secrets enable row level security`,
  sql`alter table service_secrets force row level security`,
  sql`do $$ begin
    execute format('create policy all_rows on service_secrets to %I using ((select current_setting(''app.scope'', true)) = ''all'')', current_user);
  end $$`,

  ...VERSIONED.map((table) => sql`alter table ${sql.table(table)} add column version integer not null default 1`),
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of VERSIONED) await db.schema.alterTable(table).dropColumn('version').execute();
  for (const table of ['service_secrets', 'idempotency_keys']) await db.schema.dropTable(table).execute();
}
