import type { Generated } from 'kysely';

export type QuotaTables = {
  tenant_quotas: {
    tenant_id: string;
    wallets: number | null;
    requests_per_minute: number | null;
    refreshes_per_hour: number | null;
    updated_at: Generated<Date>;
  };
};
