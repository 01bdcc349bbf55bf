import type { EventStore } from '../../db/events/event-store.ts';
import type { SourceWatchStore } from '../../db/events/source-watch-store.ts';
import { toAppError } from '../../domain/errors.ts';

/** What events need beside those who cause them. */
export type EventUpkeep = {
  /** Tells of sources that have become stale, or are so no more. Running it again, or twice at once, tells nothing twice. */
  watchSources(signal: AbortSignal): Promise<void>;
  /** Lets go of what happened long ago. */
  removeOld(signal: AbortSignal): Promise<void>;
};

type EventUpkeepDeps = {
  readonly sources: SourceWatchStore;
  readonly events: Pick<EventStore, 'removeOld'>;
  /** How often a wallet is read that does nothing special. */
  readonly baseSeconds: number;
};

/** Whoever was away for longer begins anew. */
const KEEP_DAYS = 7;

export function createEventUpkeep({ sources, events, baseSeconds }: EventUpkeepDeps): EventUpkeep {
  return {
    async watchSources(signal) {
      const faults: unknown[] = [];
      for (const tenantId of await sources.listCrossed(baseSeconds)) {
        if (signal.aborted) break;
        // What is wrong with one tenant keeps no other waiting.
        await sources.recordCrossed(tenantId, baseSeconds).catch((error: unknown) => void faults.push(error));
      }
      if (faults.length > 0) throw toAppError(faults[0]);
    },
    removeOld: (signal) => events.removeOld(KEEP_DAYS, signal),
  };
}
