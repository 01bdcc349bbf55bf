import { join } from 'node:path';
import { createAuthenticate } from '../api/middleware/authenticate.ts';
import { createClientAddress } from '../api/middleware/client-address.ts';
import type { Config } from '../config.ts';
import { DEFAULT_TENANT_ID } from '../domain/tenant.ts';
import { createAttemptLimit } from '../lib/attempt-limit.ts';
import type { Logger } from '../lib/logger.ts';
import { writeSecretFile } from '../lib/secret-file.ts';
import { StartupError } from '../lib/startup-error.ts';
import { createKeyService, type KeyService } from '../services/access/key-service.ts';
import type { Storage } from './compose-storage.ts';

type AccessDeps = { readonly storage: Pick<Storage, 'keys'>; readonly log: Logger; readonly now: () => Date };

export type Access = { readonly keys: KeyService; readonly authenticate: ReturnType<typeof createAuthenticate> };

/** Keys that do not exist may be tried this often from one address, behind which many who have good ones may come at the same moment. */
const MAX_VAIN_ATTEMPTS = { max: 300, windowMs: 60_000 } as const;
const FIRST_KEY_FILE = 'first-admin-key';

/** Who is let in. Where keys are required and there is none, the first one is made. Throws StartupError when it cannot be. */
export async function composeAccess(
  { keysRequired, isLoopback, host, trustedProxies, dataDir }: Config,
  { storage, log, now }: AccessDeps,
): Promise<Access> {
  const keys = createKeyService({ store: storage.keys, now });
  if (keysRequired) await ensureFirstKey(keys, { file: join(dataDir, FIRST_KEY_FILE), log });
  else if (!isLoopback) log.warn({ host }, 'no keys are asked for: whoever reaches this address may do everything');
  const clientOf = createClientAddress(trustedProxies);
  const attempts = createAttemptLimit(MAX_VAIN_ATTEMPTS);
  return { keys, authenticate: createAuthenticate({ keys, isRequired: keysRequired, clientOf, attempts }) };
}

async function ensureFirstKey(keys: KeyService, { file, log }: { readonly file: string; readonly log: Logger }): Promise<void> {
  const first = await keys
    .createFirst(DEFAULT_TENANT_ID, (text) => writeSecretFile(file, text))
    .catch((error: unknown) => {
      if (!isFileError(error)) throw error;
      throw new StartupError(
        `API_KEYS_REQUIRED: there is no key yet, and ${file} cannot be written for the first one; make it with ` +
          '`npm run keys -- create --name admin --scopes admin`, or set API_KEYS_REQUIRED=false to serve everyone',
      );
    });
  if (first !== undefined)
    log.warn({ key_id: first.id, file }, 'made the first key, which may do everything: take it from this file');
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
