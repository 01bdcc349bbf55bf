import { type Kysely, sql } from 'kysely';
import { SHARED_DATA_ID } from './data-version.ts';
import type { Schema } from './schema.ts';
import type { TenantDb } from './tenant-db.ts';

export type RowSecurity = {
  /** What connections for one tenant act as; null: the login itself, which may not be another. */
  readonly role: string | null;
  /** Whether the database itself keeps tenants apart: one that acts as a superuser, or passes policies by, sees all rows. */
  readonly isForced: boolean;
};

/** What came of it: `seesAll` tells whether connections for all tenants see their rows. */
export type RowSecurityFound = RowSecurity & { readonly seesAll: boolean };

/** The role that the schema's migration makes, where the login may. */
const APP_ROLE = 'chainfolio_app';

/** Asks the database. The role is of use only where the login may take it on and it has its rights on this database's tables. */
export async function findRowSecurity(db: Kysely<Schema>): Promise<RowSecurity> {
  const { rows } = await sql<{ has_role: boolean; passes_by: boolean }>`
    select rolsuper or rolbypassrls as passes_by, exists (
      select from pg_roles app where app.rolname = ${APP_ROLE} and pg_has_role(current_user, app.oid, 'set')
        and has_table_privilege(app.oid, to_regclass('wallets')::oid, 'insert')
    ) as has_role
    from pg_roles where rolname = current_user`.execute(db);
  const hasRole = rows[0]?.has_role === true;
  return { role: hasRole ? APP_ROLE : null, isForced: hasRole || rows[0]?.passes_by === false };
}

/** Tries the connections themselves: what stands in between may drop the settings that they begin with, and a login that has made no policy is held to those of single tenants. */
export async function checkRowSecurity({ all, of }: TenantDb): Promise<RowSecurityFound> {
  const { role, isForced } = await findRowSecurity(all);
  const one = await sql<{ is_active: boolean }>`select row_security_active('wallets') as is_active`.execute(of(SHARED_DATA_ID));
  // One tenant is always there.
  const some = await sql`select from tenants limit 1`.execute(all);
  return { role, isForced: isForced && one.rows[0]?.is_active === true, seesAll: some.rows.length > 0 };
}
