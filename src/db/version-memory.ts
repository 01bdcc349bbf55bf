import type { Kysely } from 'kysely';
import { AppError } from '../domain/errors.ts';
import { within } from '../lib/within.ts';
import { type DataVersion, readVersion, SHARED_DATA_ID, toVersion } from './data-version.ts';
import type { Schema } from './schema.ts';

/** What is known of the versions of tenants, as long as every change of them is heard. */
export type VersionMemory = {
  /** Undefined: not known. */
  recall(tenantId: string): DataVersion | undefined;
  /** Asks the database, and keeps the answer if all changes since were heard. Shared with whoever asks at the same time. */
  ask(tenantId: string): Promise<DataVersion>;
  /** Whether an answer is on its way. */
  isAsking(tenantId: string): boolean;
  /** Takes in that a tenant, or what all share, is at this version now. */
  hear(id: string, version: bigint): void;
  forget(tenantId: string): void;
  /** For when changes may have been missed. */
  clear(): void;
};

const MAX_TENANTS = 100_000;

export function createVersionMemory(db: Kysely<Schema>, isListening: () => boolean): VersionMemory {
  const known = new Map<string, bigint>();
  const questions = new Map<string, Promise<DataVersion>>();
  // What was recalled last of each tenant, so that readers cost nothing.
  const recalled = new Map<string, DataVersion>();

  const clear = (): void => {
    known.clear();
    recalled.clear();
    questions.clear();
  };
  const note = (id: string, version: bigint): void => {
    if (known.size >= MAX_TENANTS) clear();
    if (version <= (known.get(id) ?? -1n)) return;
    known.set(id, version);
    if (id === SHARED_DATA_ID) recalled.clear();
    else recalled.delete(id);
  };
  const ask = async (tenantId: string, isCurrent: () => boolean): Promise<DataVersion> => {
    try {
      const version = await readVersion(db, tenantId);
      if (isCurrent() && isListening()) {
        note(tenantId, version.own);
        note(SHARED_DATA_ID, version.shared);
      }
      return version;
    } finally {
      if (isCurrent()) questions.delete(tenantId);
    }
  };

  return {
    recall(tenantId) {
      const last = recalled.get(tenantId);
      if (last !== undefined) return last;
      const own = known.get(tenantId);
      const shared = known.get(SHARED_DATA_ID);
      if (own === undefined || shared === undefined) return undefined;
      const version = toVersion(own, shared);
      recalled.set(tenantId, version);
      return version;
    },
    ask(tenantId) {
      const running = questions.get(tenantId);
      if (running !== undefined) return running;
      const question: Promise<DataVersion> = ask(tenantId, () => questions.get(tenantId) === question);
      questions.set(tenantId, question);
      return question;
    },
    isAsking: (tenantId) => questions.has(tenantId),
    hear(id, version) {
      if (known.has(id)) note(id, version);
      // An answer that is on its way may not know of it.
      else if (id === SHARED_DATA_ID) questions.clear();
      else questions.delete(id);
    },
    forget(tenantId) {
      known.delete(tenantId);
      known.delete(SHARED_DATA_ID);
      recalled.clear();
      questions.delete(tenantId);
    },
    clear,
  };
}

/** The answer, or database_unavailable when it takes longer; the question goes on. */
export function awaitVersion(question: Promise<DataVersion>, timeoutMs: number): Promise<DataVersion> {
  return within(question, {
    timeoutMs,
    tooLate: () => new AppError('database_unavailable', 'The database does not answer.'),
  });
}
