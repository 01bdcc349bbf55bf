import { type ApiKey, statusOfKey } from '../../domain/api-key.ts';
import type { CreatedKey } from '../../services/access/key-service.ts';
import type { CreatedKeyWire, KeyWire } from '../schemas/keys.ts';

/** A key as clients see it. */
export function presentKey(key: ApiKey, now: Date): KeyWire {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    status: statusOfKey(key, now),
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    replaced_by: key.replacedBy,
  };
}

/** A key together with its text, the one time that it is shown. */
export function presentCreatedKey({ key, text }: CreatedKey, now: Date): CreatedKeyWire {
  return { ...presentKey(key, now), key: text };
}
