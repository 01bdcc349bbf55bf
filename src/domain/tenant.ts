/** The one tenant of this version. Every tenant table already carries the column, so that more tenants need no migration. */
export const DEFAULT_TENANT_ID = '00000000-0000-0000-0000-000000000001';
