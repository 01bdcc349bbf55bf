import { LRUCache } from 'lru-cache';
import type { ShareByVersion } from '../cache.ts';
import { isYounger } from './entry-levels.ts';

type ShareOptions<T> = {
  /** The state of a tenant's data, if every change of it is heard. */
  readonly knownVersion: (tenantId: string) => { readonly key: string } | undefined;
  /** How much of the room a value takes. */
  readonly weigh: (value: T) => number;
  readonly maxWeight: number;
  /** Milliseconds. */
  readonly now: () => number;
};

type Kept<T> = { readonly version: string; readonly readAt: number; readonly value: Promise<T> };

/** Nothing that went unheard is believed for longer. */
const MAX_AGE_MS = 60_000;

/** Keeps values in this process. While the version of a tenant's data is not known, nothing of it is shared. */
export function createShareByVersion<T>({ knownVersion, weigh, maxWeight, now }: ShareOptions<T>): ShareByVersion<T> {
  const kept = new LRUCache<string, Kept<T>>({ maxSize: maxWeight });
  return (tenantId, read) => {
    // Before the data, which can therefore only be newer.
    const version = knownVersion(tenantId)?.key;
    if (version === undefined) return read();
    const known = kept.get(tenantId);
    if (known?.version === version && isYounger(now() - known.readAt, MAX_AGE_MS)) return known.value;
    const entry: Kept<T> = { version, readAt: now(), value: read() };
    kept.set(tenantId, entry, { size: 1 });
    const isCurrent = (): boolean => kept.peek(tenantId) === entry;
    entry.value.then(
      (value) => {
        // A new entry, since the same one would keep its size. What alone takes more than all the room is not kept.
        if (isCurrent()) kept.set(tenantId, { ...entry }, { size: Math.max(1, weigh(value)) });
      },
      () => {
        if (isCurrent()) kept.delete(tenantId);
      },
    );
    return entry.value;
  };
}
