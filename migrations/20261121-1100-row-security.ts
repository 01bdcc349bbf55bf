import { type Kysely, sql } from 'kysely';

const UP = [
  // What requests are served as: it owns nothing and passes no policy by. A role is the server's, not the database's, so it may be there already. A login that may
  // not make one is no superuser, and the policies are forced on it as they are on the role.
  sql`do $$ begin
    if not exists (select from pg_roles where rolname = 'chainfolio_app') then
      create role chainfolio_app nologin noinherit nosuperuser nobypassrls nocreatedb nocreaterole;
    end if;
    if not pg_has_role(current_user, 'chainfolio_app', 'set') then execute format('grant chainfolio_app to %I', current_user); end if;
  exception when duplicate_object or unique_violation or insufficient_privilege then null; end $$`,
  // Gives the role what it needs, where there is one.
  sql`create function grant_to_app(privileges text, target text) returns void language plpgsql as $$ begin
    if exists (select from pg_roles where rolname = 'chainfolio_app') then
      execute format('grant %s on %s to chainfolio_app', privileges, target);
    end if;
  end $$`,
  sql`select grant_to_app('usage', format('schema %I', current_schema()))`,

  // Whose rows the transaction is about; nobody's unless it has said so.
  sql`create function current_tenant() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.tenant', true), '')::uuid`,
  // To be called for each new table of tenants. The owner sees all rows too only where it has said that it wants to: set app.scope to all.
  sql`create function secure_tenant_rows(target regclass) returns void language plpgsql as $$ begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy own_rows on %s using (tenant_id = (select current_tenant()))', target);
    execute format('create policy all_rows on %s to %I using ((select current_setting(''app.scope'', true)) = ''all'')', target, current_user);
    perform grant_to_app('select, insert, update, delete', target::text);
  end $$`,
  sql`do $$ declare target regclass; begin
    for target in
      select attrelid from pg_attribute a join pg_class t on t.oid = a.attrelid
      where attname = 'tenant_id' and relkind in ('r', 'p') and not relispartition and relnamespace = current_schema()::regnamespace
        and relname <> 'data_versions'
    loop perform secure_tenant_rows(target); end loop;
  end $$`,

  // The counter of what all share is everybody's too.
  sql`alter table data_versions enable row level security`,
  sql`alter table data_versions force row level security`,
  sql`create policy own_rows on data_versions
    using (tenant_id in ((select current_tenant()), '00000000-0000-0000-0000-000000000000'))`,
  sql`do $$ begin
    execute format('create policy all_rows on data_versions to %I using ((select current_setting(''app.scope'', true)) = ''all'')', current_user);
  end $$`,
  sql`select grant_to_app('select, insert, update', 'data_versions')`,

  sql`alter table tenants enable row level security`,
  sql`alter table tenants force row level security`,
  sql`create policy own_rows on tenants for select using (id = (select current_tenant()))`,
  sql`do $$ begin
    execute format('create policy all_rows on tenants to %I using ((select current_setting(''app.scope'', true)) = ''all'')', current_user);
  end $$`,
  sql`select grant_to_app('select', 'tenants')`,

  // Facts of chains and markets, which tenants share. No tenant changes them; a snapshot writes down at what prices it was taken.
  sql`select grant_to_app('select', 'assets, prices, fx_rates')`,
  sql`select grant_to_app('select, insert', 'price_points, fx_points')`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

/** The role stays: other databases of the server may use it. */
export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`do $$ declare target regclass; begin
    for target in select distinct polrelid from pg_policy where polname in ('own_rows', 'all_rows') loop
      execute format('drop policy own_rows on %s', target);
      execute format('drop policy all_rows on %s', target);
      execute format('alter table %s no force row level security', target);
      execute format('alter table %s disable row level security', target);
    end loop;
    if exists (select from pg_roles where rolname = 'chainfolio_app') then
      execute format('revoke all on all tables in schema %I from chainfolio_app', current_schema());
      execute format('revoke all on schema %I from chainfolio_app', current_schema());
    end if;
  end $$`.execute(db);
  for (const signature of ['secure_tenant_rows(regclass)', 'grant_to_app(text, text)', 'current_tenant()'])
    await sql`drop function ${sql.raw(signature)}`.execute(db);
}
