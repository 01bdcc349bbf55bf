import { LRUCache } from 'lru-cache';
import type { SharedStore } from '../cache.ts';
import { type CacheEntry, decodeEntry, encodeEntry } from './entry-codec.ts';

/** An entry with the time for which it counts as fresh here. */
export type KeptEntry = CacheEntry & { readonly freshMs: number };

/** Entries in the memory of this process, and behind it those that the processes share. None older than ten minutes is given out. */
export type EntryLevels = {
  find(key: string): KeptEntry | undefined;
  /** What is shared is kept here too. */
  findShared(key: string): Promise<KeptEntry | undefined>;
  keep(key: string, entry: CacheEntry): KeptEntry;
};

type EntryLevelsOptions = {
  /** Undefined: there is no level behind this process. */
  readonly shared: SharedStore | undefined;
  /** Milliseconds of the wall clock, the one that processes have in common. */
  readonly now: () => number;
};

/** Ages in an answer are right when it is made, so that it is kept for a short time even while the data stay the same. */
const FRESH_MS = 10_000;
/** Lifetimes differ by as much either way, lest entries that were made together expire together. */
const JITTER = 0.1;
const KEEP_MS = 600_000;
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
/** Roughly what an entry takes beside its texts. */
const OVERHEAD_BYTES = 300;

export function createEntryLevels({ shared, now }: EntryLevelsOptions): EntryLevels {
  const memory = new LRUCache<string, KeptEntry>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_ENTRY_BYTES,
    sizeCalculation: (entry, key) => entry.bytes.length + key.length + OVERHEAD_BYTES,
  });
  const remember = (key: string, entry: CacheEntry): KeptEntry => {
    const kept = { ...entry, freshMs: FRESH_MS * (1 - JITTER + 2 * JITTER * Math.random()) };
    // An answer that was overtaken by a later one changes nothing any more.
    if ((memory.peek(key)?.createdAt ?? 0) <= entry.createdAt) memory.set(key, kept);
    return kept;
  };
  return {
    find(key) {
      const entry = memory.get(key);
      return entry !== undefined && isYounger(now() - entry.createdAt, KEEP_MS) ? entry : undefined;
    },
    async findShared(key) {
      const bytes = await shared?.get(key);
      const entry = bytes === undefined ? undefined : decodeEntry(bytes);
      if (entry === undefined || !isYounger(now() - entry.createdAt, KEEP_MS)) return undefined;
      // A copy: the bytes are a part of whatever Redis sent along with them.
      return remember(key, { ...entry, bytes: Buffer.from(entry.bytes) });
    },
    keep(key, entry) {
      shared?.set(key, encodeEntry(entry), KEEP_MS);
      return remember(key, entry);
    },
  };
}

/** Whether an age is below a limit. One below zero, after a clock was set back, is as good as too old. */
export function isYounger(ageMs: number, limitMs: number): boolean {
  return ageMs >= 0 && ageMs < limitMs;
}
