import { type Kysely, sql } from 'kysely';

const UP = [
  sql`create table webhooks (
    tenant_id uuid not null references tenants on delete cascade,
    id uuid not null default uuidv7(),
    url text not null check (url <> ''),
    description text,
    -- null: all of them
    event_types text[],
    secret bytea not null,
    -- the one before, which signs too until then
    old_secret bytea,
    old_secret_until timestamptz(3),
    disabled_at timestamptz(3),
    disabled_reason text check (disabled_reason in ('by_request', 'gone', 'failing')),
    -- the first of the failures since the last success
    failing_since timestamptz(3),
    -- the other side has more than it can take until then
    paused_until timestamptz(3),
    -- the last event that was looked at for it
    seen_seq bigint not null default 0,
    -- counts changes by the owner
    version integer not null default 1,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    primary key (tenant_id, id),
    check ((disabled_at is null) = (disabled_reason is null)),
    check ((old_secret is null) = (old_secret_until is null))
  )`,
  sql`create table webhook_deliveries (
    tenant_id uuid not null,
    id uuid not null default uuidv7(),
    webhook_id uuid not null,
    -- the same in every attempt; events are let go of before what is to be told of them
    event_id uuid not null,
    type text not null,
    data jsonb not null,
    occurred_at timestamptz(3) not null,
    status text not null default 'pending' check (status in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0,
    -- of the next attempt; of one that is under way, when it counts as lost
    due_at timestamptz(3) default now(),
    attempt_id uuid,
    attempted_at timestamptz(3),
    response_status smallint,
    error_code text,
    created_at timestamptz(3) not null default now(),
    finished_at timestamptz(3),
    primary key (tenant_id, id),
    foreign key (tenant_id, webhook_id) references webhooks on delete cascade,
    unique (tenant_id, webhook_id, event_id),
    check ((status = 'pending') = (due_at is not null)),
    check ((status = 'pending') = (finished_at is null))
  )`,
  sql`create index webhook_deliveries_due on webhook_deliveries (tenant_id, webhook_id, due_at) where status = 'pending'`,
  sql`create index webhook_deliveries_listed on webhook_deliveries (tenant_id, webhook_id, id)`,
  sql`create index webhook_deliveries_old on webhook_deliveries (created_at)`,
  sql`create table alerts (
    tenant_id uuid not null references tenants on delete cascade,
    id uuid not null default uuidv7(),
    name text,
    kind text not null check (kind in ('value', 'share', 'price', 'staleness')),
    wallet_id uuid,
    asset_id uuid references assets,
    currency text,
    direction text not null check (direction in ('above', 'below')),
    threshold numeric not null check (threshold >= 0),
    hysteresis numeric not null check (hysteresis >= 0 and hysteresis < 1),
    cooldown_seconds integer not null check (cooldown_seconds >= 0),
    enabled boolean not null default true,
    is_triggered boolean not null default false,
    value numeric,
    unknown_reasons text[] not null default '{}',
    evaluated_at timestamptz(3),
    -- what had been written down when it was looked at last
    seen_version text,
    triggered_at timestamptz(3),
    resolved_at timestamptz(3),
    -- counts changes of the rule and of its state, so that of two who look at the same time one decides
    revision integer not null default 1,
    -- counts changes by the owner
    version integer not null default 1,
    created_at timestamptz(3) not null default now(),
    updated_at timestamptz(3) not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, wallet_id) references wallets on delete cascade,
    check ((kind in ('share', 'price')) = (asset_id is not null)),
    check ((kind in ('value', 'price')) = (currency is not null))
  )`,
  sql`create index alerts_wallet on alerts (tenant_id, wallet_id)`,
  sql`create index alerts_asset on alerts (asset_id)`,
  ...['webhooks', 'webhook_deliveries', 'alerts'].map((table) => sql`select secure_tenant_rows(${sql.lit(table)})`),
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['alerts', 'webhook_deliveries', 'webhooks']) await db.schema.dropTable(table).execute();
}
