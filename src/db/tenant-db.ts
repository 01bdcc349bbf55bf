import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** What stores are made with: connections that see the rows of one tenant, and one that sees those of all. */
export type TenantDb = {
  /** One tenant's rows and what all tenants share; whatever a query asks for, nothing else is there. */
  of(tenantId: string): Kysely<Schema>;
  /** Every tenant's rows: for what is done for all, such as schedules and upkeep, and for finding out whose a key is. */
  readonly all: Kysely<Schema>;
};

export function createTenantDb(db: Kysely<Schema>): TenantDb {
  return { of: () => db, all: db };
}
