import type { Kysely } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { ChangeFeed } from './change-feed.ts';
import { type DataVersion, hasReached, readVersion } from './data-version.ts';
import type { Schema } from './schema.ts';
import { awaitVersion } from './version-memory.ts';

/** One read, from either database. */
export type EitherRead<T> = { readonly onReplica: () => Promise<T>; readonly onPrimary: () => Promise<T> };

export type ReplicaReads = {
  /** Reads from the replica if it has all that is known to be committed for the tenant, else from the primary. A replica that fails is left alone for a while. */
  read<T>(tenantId: string, read: EitherRead<T>): Promise<T>;
};

type ReplicaReadsOptions = {
  readonly replica: Kysely<Schema>;
  readonly feed: Pick<ChangeFeed, 'currentVersion'>;
  readonly log: Log;
};

type Log = { info(details: object, message: string): void; warn(details: object, message: string): void };

/** How long a reader waits for the replica to say how far it is. */
const PATIENCE_MS = 250;
const PAUSE_MS = 1_000;

export function createReplicaReads({ replica, feed, log }: ReplicaReadsOptions): ReplicaReads {
  let isResting = false;
  let probeAt = 0;
  const rest = (error: unknown): void => {
    if (!isResting) log.warn({ err: error }, 'the replica does not serve; reads go to the primary');
    isResting = true;
    probeAt = performance.now() + PAUSE_MS;
  };
  /** One question, which nobody waits for, finds out whether the replica is back. */
  const probe = async (tenantId: string): Promise<void> => {
    probeAt = Number.POSITIVE_INFINITY;
    try {
      await readVersion(replica, tenantId);
      isResting = false;
      log.info({}, 'the replica serves again');
    } catch (error) {
      rest(error);
    }
  };
  const isUsable = async (tenantId: string): Promise<boolean> => {
    if (isResting) {
      if (performance.now() >= probeAt) void probe(tenantId);
      return false;
    }
    // What cannot be told while the primary is down cannot be missed either.
    const wanted = await feed.currentVersion(tenantId).catch(() => NOTHING);
    try {
      // Before the data, which can therefore only be newer.
      return hasReached(await awaitVersion(readVersion(replica, tenantId), PATIENCE_MS), wanted);
    } catch (error) {
      rest(error);
      return false;
    }
  };
  return {
    async read(tenantId, { onReplica, onPrimary }) {
      if (!(await isUsable(tenantId))) return onPrimary();
      try {
        return await onReplica();
      } catch (error) {
        const isFault = !(error instanceof AppError) || error.code === 'database_unavailable';
        // What is wrong with the request is so on either.
        if (!isFault) throw error;
        // A query that was in the way of replication is no reason to do without the replica.
        if (error instanceof AppError) rest(error);
        return onPrimary();
      }
    },
  };
}

const NOTHING: DataVersion = { own: 0n, shared: 0n };
