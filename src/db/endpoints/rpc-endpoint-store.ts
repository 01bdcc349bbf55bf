import { sql } from 'kysely';
import type { RpcEndpointSetting } from '../../domain/rpc-endpoint.ts';
import { noteChange } from '../data-version.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';

/** The endpoints that a tenant has set. */
export type RpcEndpointStore = {
  /** In the order in which they were set. */
  list(tenantId: string): Promise<readonly RpcEndpointSetting[]>;
  /** `most`: how many a chain can have. */
  add(
    tenantId: string,
    endpoint: { readonly chain: string; readonly url: string; readonly most: number },
  ): Promise<RpcEndpointSetting | 'exists' | 'full'>;
  /** False when there is no such one. */
  remove(tenantId: string, id: string): Promise<boolean>;
};

const COLUMNS = ['id', 'chain', 'url', 'created_at as createdAt'] as const;

export function createRpcEndpointStore(db: TenantDb): RpcEndpointStore {
  return {
    list: (tenantId) =>
      db.of(tenantId).selectFrom('rpc_endpoints').select(COLUMNS).where('tenant_id', '=', tenantId).orderBy('id').execute(),
    add: (tenantId, { chain, url, most }) =>
      inTransaction(db.of(tenantId), async (trx) => {
        // One after the other, so that two do not both find room for the last.
        await sql`select pg_advisory_xact_lock(hashtextextended(${`rpc_endpoints ${tenantId}`}, 0))`.execute(trx);
        const there = await trx
          .selectFrom('rpc_endpoints')
          .select('url')
          .where('tenant_id', '=', tenantId)
          .where('chain', '=', chain)
          .execute();
        if (there.some((row) => row.url === url)) return 'exists';
        if (there.length >= most) return 'full';
        const values = { tenant_id: tenantId, chain, url };
        const added = await trx.insertInto('rpc_endpoints').values(values).returning(COLUMNS).executeTakeFirstOrThrow();
        await noteChange(trx, tenantId);
        return added;
      }),
    async remove(tenantId, id) {
      if (!isUuid(id)) return false;
      return inTransaction(db.of(tenantId), async (trx) => {
        const deleting = trx.deleteFrom('rpc_endpoints').where('tenant_id', '=', tenantId).where('id', '=', id);
        const { numDeletedRows } = await deleting.executeTakeFirst();
        if (numDeletedRows === 0n) return false;
        await noteChange(trx, tenantId);
        return true;
      });
    },
  };
}
