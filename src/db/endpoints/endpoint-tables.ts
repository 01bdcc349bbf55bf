import type { ColumnType, Generated } from 'kysely';

export type EndpointTables = {
  rpc_endpoints: {
    tenant_id: string;
    id: Generated<string>;
    chain: string;
    url: string;
    created_at: ColumnType<Date, never, never>;
  };
};
