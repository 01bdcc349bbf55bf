import { AppError } from '../domain/errors.ts';

/** Lets a few work at a time, in turn by whom they work for. */
export type Turns = {
  /**
   * Runs `work` when it is its owner's turn. Throws rate_limited when the owner has too much waiting already, and service_unavailable when all together
   * have, both at once; one of them when its turn does not come in time, by whether the owner has others at work; and what `signal`, if there is one,
   * is aborted with while it waits.
   */
  run<T>(owner: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
};

type TurnsOptions = {
  /** Works at once, of all and of one owner. */
  readonly maxRunning: number;
  readonly maxRunningEach: number;
  /** Works that wait, of all and of one owner. */
  readonly maxWaiting: number;
  readonly maxWaitingEach: number;
  readonly maxWaitMs: number;
};

type Owner = {
  running: number;
  readonly waiting: Set<() => void>;
  /** Time of work, as it was at `countedAtMs`: only what it has more or less than others means anything. */
  usedMs: number;
  countedAtMs: number;
};

/** Those whose use differs by less go side by side. */
const SLACK_MS = 50;
/** What whoever comes has used less than those who are there: little, or one who comes with a hundred works at once would go before everybody. */
const HEAD_START_MS = 150;
/** Use grows while work goes on, so that whose turn it is may change without anybody coming or going. */
const LOOK_AGAIN_MS = 25;
/** Turns of the event loop between two that begin. In each of them one new connection is accepted, so that a crowd at the door is let in soon. */
const FREE_TURNS = 16;
const SWEEP_INTERVAL_MS = 1_000;
const RETRY_AFTER_MS = 1_000;

/**
 * The next turn is that of whoever has used least since all of them came, and whoever has used more waits while others are at work: one who asks for a
 * hundred times as much gets what the others leave, and they find at most `maxRunningEach` of its works before them. Nobody saves up turns while away.
 */
export function createTurns({ maxRunning, maxRunningEach, maxWaiting, maxWaitingEach, maxWaitMs }: TurnsOptions): Turns {
  const owners = createOwners();
  let running = 0;
  let waiting = 0;
  const soon = createOnce((callBack) => afterTurns(FREE_TURNS, callBack));
  const look = createOnce((callBack) => void setTimeout(callBack, LOOK_AGAIN_MS).unref());

  const startNext = (): boolean => {
    const next = leastUsed(owners.all(), (owner) => owner.waiting.size > 0 && owner.running < maxRunningEach);
    const other = leastUsed(owners.all(), (owner) => owner.running > 0 && owner !== next);
    if (next === undefined || (other !== undefined && next.usedMs > other.usedMs + SLACK_MS)) return false;
    for (const start of next.waiting) {
      start();
      return true;
    }
    return false;
  };
  /** One at a time: work that needs no I/O would otherwise end, and the next begin, before anybody else is heard. */
  const advance = (): void => {
    owners.count();
    if (waiting === 0) return;
    if (running < maxRunning && startNext()) soon.call(advance);
    else look.call(advance);
  };

  const takePlace = (owner: Owner): Place => {
    if (owner.waiting.size >= maxWaitingEach) throw tooMany();
    if (waiting >= maxWaiting) throw tooBusy();
    const turn = Promise.withResolvers<void>();
    const leave = (): boolean => {
      const isWaiting = owner.waiting.delete(start);
      if (isWaiting) waiting -= 1;
      return isWaiting;
    };
    const start = (): void => {
      leave();
      running += 1;
      owner.running += 1;
      turn.resolve();
    };
    owner.waiting.add(start);
    waiting += 1;
    return {
      turn: turn.promise,
      giveUp: (reason = owner.running > 0 ? tooMany() : tooBusy()) => void (leave() && turn.reject(reason)),
    };
  };

  return {
    async run(name, work, signal) {
      signal?.throwIfAborted();
      owners.count();
      const owner = owners.find(name);
      const place = takePlace(owner);
      // Whoever has nothing else in hand need not wait for others to be let in.
      if (!soon.isDue() || (owner.running === 0 && owner.waiting.size === 1)) advance();
      if (owner.waiting.size > 0) await awaitTurn(place, signal, maxWaitMs);
      try {
        return await work();
      } finally {
        owners.count();
        running -= 1;
        owner.running -= 1;
        soon.call(advance);
      }
    },
  };
}

function afterTurns(count: number, callBack: () => void): void {
  if (count === 0) callBack();
  else setImmediate(afterTurns, count - 1, callBack);
}

/** Calls back later, once for all that ask meanwhile. */
function createOnce(later: (callBack: () => void) => void): { call(callBack: () => void): void; isDue(): boolean } {
  let isDue = false;
  return {
    isDue: () => isDue,
    call(callBack) {
      if (isDue) return;
      isDue = true;
      later(() => {
        isDue = false;
        callBack();
      });
    },
  };
}

/** Where one waits for its turn. */
type Place = {
  readonly turn: Promise<void>;
  /** Rejects the turn, unless it has come; for being late unless told why. */
  giveUp(reason?: unknown): void;
};

async function awaitTurn({ turn, giveUp }: Place, signal: AbortSignal | undefined, maxWaitMs: number): Promise<void> {
  const onAbort = (): void => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(giveUp, maxWaitMs);
  await turn.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  });
}

type Owners = {
  /** The owner who comes with a work now. */
  find(name: string): Owner;
  all(): Iterable<Owner>;
  /** Brings what all have used up to the moment. */
  count(): void;
};

function createOwners(): Owners {
  const owners = new Map<string, Owner>();
  let sweptAtMs = performance.now();
  /** The least that anybody who is here has used; of those who were last here while nobody is. It only grows. */
  let levelMs = 0;
  const sweep = (): void => {
    for (const [name, owner] of owners) if (!isHere(owner) && owner.usedMs <= levelMs - HEAD_START_MS) owners.delete(name);
  };
  return {
    find(name) {
      const owner = owners.get(name) ?? { running: 0, waiting: new Set(), usedMs: 0, countedAtMs: performance.now() };
      if (!isHere(owner)) owner.usedMs = Math.max(owner.usedMs, levelMs - HEAD_START_MS);
      owners.set(name, owner);
      return owner;
    },
    all: () => owners.values(),
    count() {
      const nowMs = performance.now();
      for (const owner of owners.values()) {
        owner.usedMs += owner.running * (nowMs - owner.countedAtMs);
        owner.countedAtMs = nowMs;
      }
      levelMs = Math.max(levelMs, leastUsed(owners.values(), isHere)?.usedMs ?? 0);
      if (nowMs - sweptAtMs < SWEEP_INTERVAL_MS) return;
      sweptAtMs = nowMs;
      sweep();
    },
  };
}

function isHere({ running, waiting }: Owner): boolean {
  return running > 0 || waiting.size > 0;
}

function leastUsed(owners: Iterable<Owner>, isMeant: (owner: Owner) => boolean): Owner | undefined {
  let least: Owner | undefined;
  for (const owner of owners) if (isMeant(owner) && owner.usedMs < (least?.usedMs ?? Number.POSITIVE_INFINITY)) least = owner;
  return least;
}

function tooMany(): AppError {
  return new AppError('rate_limited', 'Too many of your requests are waiting already.', { retryAfterMs: RETRY_AFTER_MS });
}

function tooBusy(): AppError {
  return new AppError('service_unavailable', 'Too many requests are waiting already.', { retryAfterMs: RETRY_AFTER_MS });
}
