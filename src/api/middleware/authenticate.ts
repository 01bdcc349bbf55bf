import type { Request } from 'express';
import type { Principal } from '../../domain/access.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import { OPEN_PRINCIPAL } from '../../domain/tenant.ts';
import type { AttemptLimit } from '../../lib/attempt-limit.ts';
import type { KeyService } from '../../services/access/key-service.ts';
import type { ClientAddress } from './client-address.ts';

type AuthenticateDeps = {
  readonly keys: Pick<KeyService, 'authenticate'>;
  /** Whether a request without a key is refused. Otherwise it comes on behalf of the service's owner. */
  readonly isRequired: boolean;
  readonly clientOf: ClientAddress;
  /** Bounds look-ups of keys that come to nothing. */
  readonly attempts: AttemptLimit;
};

/** What a request is taken from that says whose it is. */
type Identified = Pick<Request, 'headers' | 'url' | 'socket'>;

/**
 * Tells on whose behalf a request comes: `Authorization: Bearer <key>` or `X-API-Key: <key>`. Throws unauthorized, and rate_limited for whoever tries many keys that
 * do not exist, before the database is asked.
 */
export function createAuthenticate({ keys, isRequired, clientOf, attempts }: AuthenticateDeps) {
  return async (request: Identified): Promise<Principal> => {
    const text = readKey(request);
    if (text === undefined) {
      if (!isRequired) return OPEN_PRINCIPAL;
      throw new AppError('unauthorized', 'Send a key as `Authorization: Bearer <key>` or `X-API-Key: <key>`.');
    }
    const client = clientOf(request);
    let isLookup = false;
    let isVain = false;
    try {
      return await keys.authenticate(text, () => {
        const retryAfterMs = attempts.begin(client);
        if (retryAfterMs !== undefined) throw tooMany(retryAfterMs);
        isLookup = true;
      });
    } catch (error) {
      // A database that does not answer says nothing of the key.
      isVain = toAppError(error).code === 'unauthorized';
      throw error;
    } finally {
      if (isLookup && !isVain) attempts.forgive(client);
    }
  };
}

/** What looks like a key of ours, wherever it begins. */
const KEY_IN_ADDRESS = /cpf_[0-9A-Za-z]{12}_/;

/** Undefined when none came. Throws unauthorized for one in the address, where logs and histories keep it, and for two. */
function readKey({ headers, url }: Identified): string | undefined {
  if (KEY_IN_ADDRESS.test(url)) {
    throw new AppError('unauthorized', 'Keys are taken in headers only. The one in this address may have been seen: revoke it.');
  }
  const [, bearer] = /^Bearer +(\S.*)$/i.exec(headers.authorization ?? '') ?? [];
  const named = headers['x-api-key'];
  if (bearer !== undefined && named !== undefined) throw new AppError('unauthorized', 'Send one key, in one header.');
  return bearer ?? (Array.isArray(named) ? named.join() : named);
}

function tooMany(retryAfterMs: number): AppError {
  return new AppError('rate_limited', 'Too many keys that do not exist came from your address.', { retryAfterMs });
}
