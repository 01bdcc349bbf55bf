import type { ColumnType, Generated } from 'kysely';
import type { Scope } from '../../domain/access.ts';

export type AccessTables = {
  tenants: { id: Generated<string>; name: string; created_at: ColumnType<Date, never, never> };
  api_keys: {
    tenant_id: string;
    id: string;
    name: string;
    scopes: Scope[];
    secret_hash: Buffer;
    created_at: ColumnType<Date, never, never>;
    expires_at: Date | null;
    last_used_at: ColumnType<Date | null, never, Date>;
    revoked_at: ColumnType<Date | null, never, Date>;
    replaced_by: ColumnType<string | null, never, string>;
  };
};
