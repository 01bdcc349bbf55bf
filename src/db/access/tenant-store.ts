import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';

export type Tenant = { readonly id: string; readonly name: string; readonly createdAt: Date };

/** A tenant with how much it has. */
export type TenantSummary = Tenant & { readonly wallets: number; readonly usableKeys: number };

export type TenantStore = {
  /** Oldest first. */
  list(): Promise<readonly TenantSummary[]>;
  findByName(name: string): Promise<Tenant | undefined>;
  /** The next two: undefined when another has the name. */
  create(name: string): Promise<Tenant | undefined>;
  rename(id: string, name: string): Promise<Tenant | undefined>;
  /** With all that it has. */
  delete(id: string): Promise<void>;
};

type TenantRow = { readonly id: string; readonly name: string; readonly created_at: Date };

/** Whom the service is for. Only its operator asks. */
export function createTenantStore({ all: db }: Pick<TenantDb, 'all'>): TenantStore {
  return {
    async list() {
      const { rows } = await sql<TenantRow & { wallets: number; usable_keys: number }>`
        select t.*,
          (select count(*)::int from wallets w where w.tenant_id = t.id) as wallets,
          (select count(*)::int from api_keys k where k.tenant_id = t.id and revoked_at is null
            and (expires_at is null or expires_at > now())) as usable_keys
        from tenants t order by created_at, id`.execute(db);
      return rows.map((row) => ({ ...toTenant(row), wallets: row.wallets, usableKeys: row.usable_keys }));
    },
    async findByName(name) {
      const row = await db.selectFrom('tenants').selectAll().where('name', '=', name).executeTakeFirst();
      return row && toTenant(row);
    },
    async create(name) {
      const row = await db
        .insertInto('tenants')
        .values({ name })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .returningAll()
        .executeTakeFirst();
      return row && toTenant(row);
    },
    async rename(id, name) {
      const { rows } = await sql<TenantRow>`
        update tenants set name = ${name}
        where id = ${id} and not exists (select from tenants o where o.name = ${name} and o.id <> ${id})
        returning *`.execute(db);
      return rows[0] && toTenant(rows[0]);
    },
    async delete(id) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom('tenants').where('id', '=', id).execute();
        for (const table of await listTenantTables(trx)) {
          await sql`delete from ${sql.table(table)} where tenant_id = ${id}`.execute(trx);
        }
      });
    },
  };
}

/** Some large tables have no reference to the tenant, which would be looked up for each of their rows. */
async function listTenantTables(db: Kysely<Schema>): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_attribute a join pg_class t on t.oid = a.attrelid
    where attname = 'tenant_id' and relkind in ('r', 'p') and not relispartition
      and relnamespace = current_schema()::regnamespace`.execute(db);
  return rows.map(({ name }) => name);
}

function toTenant({ id, name, created_at }: TenantRow): Tenant {
  return { id, name, createdAt: created_at };
}
