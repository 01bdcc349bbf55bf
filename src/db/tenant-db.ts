import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Schema } from './schema.ts';
import { isUuid } from './uuid.ts';

/** What stores are made with: connections that see the rows of one tenant, and one that sees those of all. */
export type TenantDb = {
  /** One tenant's rows and what all tenants share; whatever a query asks for, nothing else is there. */
  of(tenantId: string): Kysely<Schema>;
  /** Every tenant's rows: for what is done for all, such as schedules and upkeep, and for finding out whose a key is. */
  readonly all: Kysely<Schema>;
};

/** Many more than ask at once; one that is made again costs some microseconds. */
const MAX_REMEMBERED = 1_000;

/** `poolOf` gives connections that see a tenant's rows only. */
export function createTenantDb(all: Kysely<Schema>, poolOf: (tenantId: string) => PostgresPool): TenantDb {
  const remembered = new LRUCache<string, Kysely<Schema>>({ max: MAX_REMEMBERED });
  return {
    all,
    of(tenantId) {
      const known = remembered.get(tenantId);
      if (known !== undefined) return known;
      // It becomes part of a statement's text.
      if (!isUuid(tenantId)) throw new TypeError('a tenant is named by a UUID');
      const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: poolOf(tenantId) }) });
      remembered.set(tenantId, db);
      return db;
    },
  };
}
