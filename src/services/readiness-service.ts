/** A part as a probe tells it: its name and how it is. */
type PartStatus = { readonly name: string; readonly status: 'ok' | 'degraded' | 'down' | 'unknown' };

/** `degraded`: it serves, without some of what it depends on. `unready`: send requests elsewhere. */
export type Readiness = {
  readonly status: 'ready' | 'degraded' | 'unready';
  readonly isDraining: boolean;
  readonly isDatabaseUp: boolean;
  readonly parts: readonly PartStatus[];
};

/** What an orchestrator asks. Every answer is at hand: none waits for anything. */
export type ReadinessService = {
  /** False after a fault that this process cannot go on from. Depends on nothing outside: a restart would not mend that. */
  isAlive(): boolean;
  /** Whether everything has been looked at once, well or not. */
  isStarted(): boolean;
  getReadiness(): Readiness;
  /** From now on requests belong elsewhere; those that come are still served. */
  drain(): void;
  /** Gives the process up. */
  giveUp(): void;
  start(): void;
  stop(): void;
};

type ReadinessServiceDeps = {
  readonly ping: () => Promise<void>;
  /** Whether the tables are as this version needs them. */
  readonly isSchemaCurrent: () => Promise<boolean>;
  /** What it can do without for a while: chains, price sources, Redis. */
  readonly otherParts: () => readonly PartStatus[];
  readonly isStarted: () => boolean;
  readonly log: { warn(details: object, message: string): void; info(details: object, message: string): void };
};

const PING_INTERVAL_MS = 1_000;
/** One lost ping is no reason to move all requests to other instances, which have the same database. */
const MAX_MISSED_PINGS = 3;

/**
 * Watches the database in the background. A Redis, a chain or a price source that is gone makes no instance unready: they are shared, so that all
 * instances would go at once and nothing would be left to serve what is stored.
 */
export function createReadinessService({ otherParts, isStarted, ...deps }: ReadinessServiceDeps): ReadinessService {
  const database = watchDatabase(deps);
  let isDraining = false;
  let isAlive = true;
  return {
    isAlive: () => isAlive,
    isStarted,
    getReadiness() {
      const needed = database.parts();
      const others = otherParts();
      const isUnready = isDraining || !isAlive || needed.some(({ status }) => status === 'down' || status === 'unknown');
      const isDegraded = [...needed, ...others].some(({ status }) => status === 'down' || status === 'degraded');
      const status = isUnready ? 'unready' : isDegraded ? 'degraded' : 'ready';
      return { status, isDraining, isDatabaseUp: database.isUp(), parts: [...needed, ...others] };
    },
    drain() {
      isDraining = true;
    },
    giveUp() {
      isAlive = false;
    },
    start: database.start,
    stop: database.stop,
  };
}

type DatabaseWatch = {
  readonly isUp: () => boolean;
  readonly parts: () => readonly PartStatus[];
  readonly start: () => void;
  readonly stop: () => void;
};

function watchDatabase({ ping, isSchemaCurrent, log }: Omit<ReadinessServiceDeps, 'otherParts' | 'isStarted'>): DatabaseWatch {
  let missed = 0;
  let hasAnswered = false;
  let isCurrent = true;
  let isPending = false;
  let timer: NodeJS.Timeout | undefined;

  const noteMiss = (): void => {
    missed += 1;
    if (missed === MAX_MISSED_PINGS) log.warn({}, 'the database does not answer: not ready');
  };
  const look = async (): Promise<void> => {
    await ping();
    const isBack = !hasAnswered || missed >= MAX_MISSED_PINGS;
    // What comes back may be an older copy of it.
    if (isBack || !isCurrent) isCurrent = await isSchemaCurrent();
    if (isBack && hasAnswered) log.info({}, 'the database answers again');
    missed = 0;
    hasAnswered = true;
  };
  const tick = (): void => {
    // A ping that is not back by the next tick counts as missed at each, and is not joined by more of its kind.
    if (isPending) {
      noteMiss();
      return;
    }
    isPending = true;
    look()
      .catch(noteMiss)
      .finally(() => {
        isPending = false;
      });
  };
  const isDown = (): boolean => missed >= MAX_MISSED_PINGS;
  return {
    isUp: () => hasAnswered && !isDown(),
    parts() {
      const status = isDown() ? 'down' : missed > 0 ? 'degraded' : hasAnswered ? 'ok' : 'unknown';
      return [
        { name: 'database', status },
        { name: 'migrations', status: isCurrent ? 'ok' : 'down' },
      ];
    },
    start() {
      tick();
      timer = setInterval(tick, PING_INTERVAL_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}
