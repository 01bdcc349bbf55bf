import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import { isTransient } from './pg-errors.ts';
import type { Schema } from './schema.ts';

const MAX_ATTEMPTS = 4;
const MAX_PAUSE_MS = 50;

/**
 * Runs `work` in one transaction, anew when it met a deadlock or a serialization failure. `work` must have no effect outside the
 * transaction.
 */
export async function inTransaction<T>(db: Kysely<Schema>, work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error;
      // By chance, so that two that met do not meet again.
      await sleep(Math.random() * MAX_PAUSE_MS * attempt);
    }
  }
}
