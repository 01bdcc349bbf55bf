import { LRUCache } from 'lru-cache';

/** Bounds how often each client may try something in vain. */
export type AttemptLimit = {
  /** Counts an attempt. The time until the next one is worth while, when there were too many; else undefined. */
  begin(client: string): number | undefined;
  /** Takes an attempt back, since it was not in vain. */
  forgive(client: string): void;
};

const MAX_CLIENTS = 10_000;

/** At most `max` attempts in vain in each window, of each process for itself. */
export function createAttemptLimit({ max, windowMs }: { readonly max: number; readonly windowMs: number }): AttemptLimit {
  const windows = new LRUCache<string, { attempts: number; readonly endsAt: number }>({ max: MAX_CLIENTS });
  return {
    begin(client) {
      const now = performance.now();
      const known = windows.get(client);
      const window = known !== undefined && known.endsAt > now ? known : { attempts: 0, endsAt: now + windowMs };
      if (window.attempts >= max) return window.endsAt - now;
      window.attempts += 1;
      windows.set(client, window);
      return undefined;
    },
    forgive(client) {
      const window = windows.get(client);
      if (window !== undefined) window.attempts -= 1;
    },
  };
}
