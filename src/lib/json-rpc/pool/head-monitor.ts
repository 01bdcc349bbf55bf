import { AppError } from '../../../domain/errors.ts';

/** The heads of one chain: how far each endpoint is, and what was served. `K` names an endpoint. */
export type HeadMonitor<K> = {
  /** An endpoint said this head. */
  note(key: K, head: bigint): void;
  /** What an endpoint said counts no more: it serves another chain. */
  forget(key: K): void;
  view(key: K): HeadView;
  /** A reading at this block was handed out: nothing older is from now on. */
  noteServed(block: bigint): void;
  /**
   * The highest block that was served. Undefined before the first one, and when no endpoint has come up to it for ten minutes: then it is the chain
   * that went back.
   */
  tip(): bigint | undefined;
  /**
   * The moment up to which a block read now is known to have been the newest: now, or if the chain's head stands still, since when it does. That is when it was first seen, or made where the block tells, so that a
   * new process does not take an old head for a new one.
   */
  freshAt(block: bigint, madeAt?: Date): Date;
};

export type HeadView = {
  readonly head: bigint | null;
  /** Blocks behind the best of the others, as it was when this one was last asked. */
  readonly lag: bigint | null;
  /** Too far behind to be asked before the others, or stuck. */
  readonly isBehind: boolean;
};

export type HeadMonitorOptions = { readonly blockTimeMs: number; readonly now?: () => number };

type Seen = { readonly head: bigint; readonly lag: bigint; readonly movedAt: number; readonly isBehind: boolean };

const LEAST_LAG_BLOCKS = 3;
const MOST_LAG_MS = 20_000;
const LEAST_STUCK_MS = 120_000;
const STUCK_BLOCKS = 20;
const FORGOTTEN_AFTER_MS = 10 * 60_000;

export function createHeadMonitor<K>({ blockTimeMs, now = Date.now }: HeadMonitorOptions): HeadMonitor<K> {
  const seen = new Map<K, Seen>();
  const lagLimit = BigInt(Math.max(LEAST_LAG_BLOCKS, Math.ceil(MOST_LAG_MS / blockTimeMs)));
  const stuckAfterMs = Math.max(LEAST_STUCK_MS, STUCK_BLOCKS * blockTimeMs);
  let served: { block: bigint; confirmedAt: number } | undefined;
  /** The highest head, and when it was first seen. */
  let best: { head: bigint; firstAt: number; confirmedAt: number } | undefined;

  return {
    note(key, head) {
      const before = seen.get(key);
      const top = bestHead(seen);
      const lag = top !== undefined && top > head ? top - head : 0n;
      const movedAt = before !== undefined && head === before.head ? before.movedAt : now();
      seen.set(key, { head, lag, movedAt, isBehind: lag > lagLimit || now() - movedAt >= stuckAfterMs });
      if (best === undefined || head > best.head || now() - best.confirmedAt >= FORGOTTEN_AFTER_MS) {
        best = { head, firstAt: movedAt, confirmedAt: now() };
      }
      if (head >= best.head) best.confirmedAt = now();
      if (served !== undefined && head >= served.block) served.confirmedAt = now();
    },
    forget(key) {
      seen.delete(key);
    },
    view(key) {
      const { head = null, lag = null, isBehind = false } = seen.get(key) ?? {};
      return { head, lag, isBehind };
    },
    noteServed(block) {
      if (served === undefined || block > served.block) served = { block, confirmedAt: now() };
    },
    tip() {
      if (served !== undefined && now() - served.confirmedAt >= FORGOTTEN_AFTER_MS) served = undefined;
      return served?.block;
    },
    freshAt(block, madeAt) {
      const seenAt = best !== undefined && block <= best.head ? best.firstAt : now();
      const since = Math.min(seenAt, madeAt?.getTime() ?? seenAt);
      return new Date(now() - since >= stuckAfterMs ? since : now());
    },
  };
}

/** Notes the head that an endpoint told. Throws upstream_block_unavailable when it is older than what was read before: figures never go back to an earlier block. */
export function acceptHead<K extends { readonly name: string }>(heads: HeadMonitor<K>, endpoint: K, head: bigint): void {
  heads.note(endpoint, head);
  const tip = heads.tip();
  if (tip === undefined || head >= tip) return;
  const provider = endpoint.name;
  throw new AppError('upstream_block_unavailable', `${provider} is behind what was read before.`, { provider });
}

function bestHead(seen: ReadonlyMap<unknown, Seen>): bigint | undefined {
  let best: bigint | undefined;
  for (const { head } of seen.values()) if (best === undefined || head > best) best = head;
  return best;
}
