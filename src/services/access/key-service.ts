import { hash, randomBytes } from 'node:crypto';
import type { KeyStore, NewKey } from '../../db/access/key-store.ts';
import type { Scope } from '../../domain/access.ts';
import { type ApiKey, ID_BYTES, SECRET_BYTES, statusOfKey, toKeyParts, writeKey } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';
import { createKeyCheck, type KeyCheck } from './key-check.ts';

export type KeyInput = { readonly name: string; readonly scopes: readonly Scope[]; readonly expiresAt: Date | null };

/** A new key with its text, which is told this once and not kept. */
export type CreatedKey = { readonly key: ApiKey; readonly text: string };

export type KeyService = KeyCheck & {
  /** Throws quota_exceeded, and invalid_request for an end that has passed. */
  create(tenantId: string, input: KeyInput): Promise<CreatedKey>;
  /** An admin key for the service's owner when nobody has one yet; `keep` puts its text where it is found, and nothing is done when it fails. */
  createFirst(tenantId: string, keep: (text: string) => Promise<void>): Promise<ApiKey | undefined>;
  /** Newest first, with those that ended not long ago. */
  list(tenantId: string): Promise<readonly ApiKey[]>;
  /** The next three throw key_not_found. */
  get(tenantId: string, id: string): Promise<ApiKey>;
  /** A new key with the same rights, and as long a life; the old one ends after the overlap. Throws conflict for one that has ended or was replaced. */
  rotate(tenantId: string, id: string, overlapSeconds: number): Promise<CreatedKey>;
  /** It opens no door of this process any more, and within seconds none of another. */
  revoke(tenantId: string, id: string): Promise<void>;
};

type KeyServiceDeps = { readonly store: KeyStore; readonly now: () => Date };

/** Usable keys of one tenant. */
const MAX_KEYS = 100;

export function createKeyService({ store, now }: KeyServiceDeps): KeyService {
  const { forget, ...check } = createKeyCheck({ store, now });
  const get = async (tenantId: string, id: string): Promise<ApiKey> => {
    const key = await store.get(tenantId, id);
    if (key === undefined) throw new AppError('key_not_found', 'There is no key of this id.');
    return key;
  };
  return {
    ...check,
    async create(tenantId, input) {
      if (input.expiresAt !== null && input.expiresAt <= now()) throw inThePast();
      const { text, row } = makeKey(input);
      const key = await store.add(tenantId, row, MAX_KEYS);
      if (key === undefined) throw tooMany();
      return { key, text };
    },
    async createFirst(tenantId, keep) {
      const { text, row } = makeKey({ name: 'first key', scopes: ['admin'], expiresAt: null });
      return store.addFirst(tenantId, row, () => keep(text));
    },
    list: (tenantId) => store.list(tenantId),
    get,
    async rotate(tenantId, id, overlapSeconds) {
      const old = await get(tenantId, id);
      const usable = (await store.list(tenantId)).filter((key) => statusOfKey(key, now()) === 'active');
      if (usable.length >= MAX_KEYS) throw tooMany();
      const lifeMs = old.expiresAt === null ? null : old.expiresAt.getTime() - old.createdAt.getTime();
      const expiresAt = lifeMs === null ? null : new Date(now().getTime() + lifeMs);
      const { text, row } = makeKey({ name: old.name, scopes: old.scopes, expiresAt });
      const key = await store.replace(tenantId, { oldId: id, key: row, overlapSeconds });
      if (key === undefined) throw new AppError('conflict', 'This key has ended or was replaced already.');
      forget(id);
      return { key, text };
    },
    async revoke(tenantId, id) {
      if (!(await store.revoke(tenantId, id))) await get(tenantId, id);
      forget(id);
    },
  };
}

function makeKey(input: KeyInput): { text: string; row: NewKey } {
  const parts = toKeyParts({ id: randomBytes(ID_BYTES), secret: randomBytes(SECRET_BYTES) });
  const secretHash = hash('sha256', parts.secret, 'buffer');
  return { text: writeKey(parts), row: { ...input, id: parts.id, secretHash } };
}

function inThePast(): AppError {
  const issue = { pointer: '/body/expires_at', code: 'in_the_past', message: 'A key ends in the future.' };
  return new AppError('invalid_request', issue.message, { issues: [issue] });
}

function tooMany(): AppError {
  return new AppError('quota_exceeded', `There may be ${MAX_KEYS} keys that can be used. Revoke one first.`);
}
