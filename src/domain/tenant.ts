import { type Principal, SCOPES } from './access.ts';

/** The tenant that is always there: the owner of the service. */
export const DEFAULT_TENANT_ID = '00000000-0000-0000-0000-000000000001';

/** Whoever asks where no keys are asked for. */
export const OPEN_PRINCIPAL: Principal = { tenantId: DEFAULT_TENANT_ID, keyId: null, scopes: new Set(SCOPES) };
