import { sql } from 'kysely';
import type { Quotas } from '../../domain/quotas.ts';
import type { TenantDb } from '../tenant-db.ts';

/** Where a tenant may something else than any tenant: only these are there. */
export type OwnQuotas = { readonly [Name in keyof Quotas]?: number };

/** Changes to them; null: as any tenant again. What is left out stays. */
export type QuotaChanges = { readonly [Name in keyof Quotas]?: number | null };

export type QuotaStore = {
  get(tenantId: string): Promise<OwnQuotas>;
  /** What holds then. False when there is no such tenant. */
  set(tenantId: string, changes: QuotaChanges): Promise<boolean>;
};

export function createQuotaStore(db: TenantDb): QuotaStore {
  return {
    async get(tenantId) {
      const row = await db
        .of(tenantId)
        .selectFrom('tenant_quotas')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .executeTakeFirst();
      if (row === undefined) return {};
      return {
        ...(row.wallets === null ? {} : { wallets: row.wallets }),
        ...(row.requests_per_minute === null ? {} : { requestsPerMinute: row.requests_per_minute }),
        ...(row.refreshes_per_hour === null ? {} : { refreshesPerHour: row.refreshes_per_hour }),
      };
    },
    async set(tenantId, { wallets, requestsPerMinute, refreshesPerHour }) {
      const { numAffectedRows } = await sql`
        insert into tenant_quotas as q (tenant_id, wallets, requests_per_minute, refreshes_per_hour)
        select id, ${wallets ?? null}, ${requestsPerMinute ?? null}, ${refreshesPerHour ?? null} from tenants where id = ${tenantId}
        on conflict (tenant_id) do update set updated_at = now(),
          wallets = case when ${wallets === undefined} then q.wallets else excluded.wallets end,
          requests_per_minute = case when ${requestsPerMinute === undefined} then q.requests_per_minute else excluded.requests_per_minute end,
          refreshes_per_hour = case when ${refreshesPerHour === undefined} then q.refreshes_per_hour else excluded.refreshes_per_hour end`.execute(
        db.all,
      );
      return numAffectedRows === 1n;
    },
  };
}
