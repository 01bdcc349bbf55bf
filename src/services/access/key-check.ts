import { hash, timingSafeEqual } from 'node:crypto';
import type { FoundKey, KeyStore } from '../../db/access/key-store.ts';
import { type Principal, withHeldScopes } from '../../domain/access.ts';
import { parseKey, statusOfKey } from '../../domain/api-key.ts';
import { AppError } from '../../domain/errors.ts';

export type KeyCheck = {
  /**
   * Whom a key stands for. Throws unauthorized. What is known of a key is believed for three seconds.
   * @param beforeLookup Called before the database is asked for a key that was not there a moment ago; what it throws is thrown.
   */
  authenticate(text: string, beforeLookup: () => void): Promise<Principal>;
};

type KeyCheckDeps = { readonly store: Pick<KeyStore, 'find' | 'noteUse'>; readonly now: () => Date };

/** A revoked key is refused everywhere within this time and that of one query. */
const BELIEVED_MS = 3_000;
const USE_NOTED_EVERY_MS = 60_000;
/** Ids that are known at once, those that do not exist included; with more, the oldest is forgotten. */
const MAX_KNOWN = 10_000;

type Known = {
  readonly askedAt: number;
  readonly found: Promise<FoundKey | undefined>;
  /** Whether there is such a key, as far as is known by now. */
  isThere: boolean;
  usedAt: number;
};

/** Tells whom keys stand for, over what was read of each a moment ago. */
export function createKeyCheck({ store, now }: KeyCheckDeps): KeyCheck & { forget(id: string): void } {
  const known = new Map<string, Known>();
  const lookUp = (id: string, beforeLookup: () => void): Known => {
    const last = known.get(id);
    if (last !== undefined && performance.now() - last.askedAt < BELIEVED_MS) return last;
    if (last?.isThere !== true) beforeLookup();
    const entry: Known = { askedAt: performance.now(), found: store.find(id), isThere: false, usedAt: last?.usedAt ?? 0 };
    known.delete(id);
    known.set(id, entry);
    const [oldest] = known.keys();
    if (oldest !== undefined && known.size > MAX_KNOWN) known.delete(oldest);
    entry.found.then(
      (key) => {
        entry.isThere = key !== undefined;
      },
      // Whoever asks next tries again.
      () => known.get(id) === entry && known.delete(id),
    );
    return entry;
  };
  return {
    async authenticate(text, beforeLookup) {
      const parts = parseKey(text);
      if (parts === undefined) throw refuse('This is not a key: check it for a typo.');
      const entry = lookUp(parts.id, beforeLookup);
      const key = await entry.found;
      const secretHash = hash('sha256', parts.secret, 'buffer');
      if (key === undefined || !timingSafeEqual(secretHash, key.secretHash)) throw refuse('There is no such key.');
      const status = statusOfKey(key, now());
      if (status !== 'active') throw refuse(`The key ${status === 'expired' ? 'has expired' : 'was revoked'}.`);
      noteUse(store, { entry, key, now: now() });
      return { tenantId: key.tenantId, keyId: key.id, scopes: withHeldScopes(key.scopes) };
    },
    forget: (id) => void known.delete(id),
  };
}

type Use = { readonly entry: Known; readonly key: FoundKey; readonly now: Date };

/** Beside the request, which does not wait for it. */
function noteUse(store: Pick<KeyStore, 'noteUse'>, { entry, key, now }: Use): void {
  const lastMs = Math.max(entry.usedAt, key.lastUsedAt?.getTime() ?? 0);
  if (now.getTime() - lastMs < USE_NOTED_EVERY_MS) return;
  entry.usedAt = now.getTime();
  store.noteUse(key.tenantId, key.id).catch(() => {
    entry.usedAt = 0;
  });
}

function refuse(message: string): AppError {
  return new AppError('unauthorized', message);
}
