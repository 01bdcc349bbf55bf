import type { ColumnType, Generated } from 'kysely';

/** What is kept about requests, as queries see it. */
export type RequestTables = {
  idempotency_keys: {
    tenant_id: string;
    key: string;
    fingerprint: string;
    attempt_id: string;
    lease_until: Date;
    /** Null while the first one is under way. */
    answer: string | null;
    created_at: Generated<Date>;
  };
  service_secrets: { name: string; secret: ColumnType<Buffer, never, never> };
};
