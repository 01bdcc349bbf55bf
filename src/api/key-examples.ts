import type { CreatedKeyWire, KeyWire } from './schemas/keys.ts';

export const keyExample: KeyWire = {
  id: '4fKq0ZsLw2Xb',
  name: 'Dashboard',
  scopes: ['read:values'],
  status: 'active',
  created_at: '2026-11-21T12:00:00.000Z',
  expires_at: '2027-11-21T12:00:00.000Z',
  last_used_at: null,
  revoked_at: null,
  replaced_by: null,
};

/** Its checksum is wrong, so that it is nobody's. */
export const createdKeyExample: CreatedKeyWire = {
  ...keyExample,
  key: 'cpf_4fKq0ZsLw2Xb_0000000000000000000000000000000000000000000example',
};
