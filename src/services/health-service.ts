import type { BalanceSource } from '../adapters/balance-source.ts';
import { toAppError } from '../domain/errors.ts';
import { toSourceError } from '../domain/holding.ts';
import { createRounds } from '../lib/rounds.ts';

export type HealthPart = {
  /** `database`, `cache`, `queue`, `chain:ethereum`, `prices:defillama`, `fx:coingecko`, `schedule:prices`, `limits`. */
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'down' | 'unknown';
  readonly checkedAt: Date | null;
  readonly error: { readonly code: string; readonly provider: string | null } | null;
  /** Newest block or slot seen, for chains. */
  readonly block: bigint | null;
  /** Whether anything depends on it: a chain that no wallet follows is looked at once, at the start. */
  readonly inUse: boolean;
};

/** `down` only when the database is; any other part in use that fails makes it `degraded`. */
export type Health = {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly version: string;
  readonly startedAt: Date;
  readonly parts: readonly HealthPart[];
};

export type HealthService = {
  /** Answers from what background probes found last, within the time of one database ping. */
  getHealth(): Promise<Health>;
  /** Counts in parts that are watched elsewhere: a cache, a queue, schedules. */
  addParts(list: () => readonly HealthPart[]): void;
  /** What was found last of everything but the database, at once; parts that nothing depends on are left out. */
  listPartsInUse(): readonly HealthPart[];
  /** Whether every chain has been looked at once. */
  hasLookedAround(): boolean;
  start(): void;
  stop(): Promise<void>;
};

type HealthServiceDeps = {
  readonly version: string;
  readonly ping: () => Promise<void>;
  readonly followedChains: () => Promise<ReadonlySet<string>>;
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  readonly log: { warn(details: object, message: string): void };
};

const PROBE_INTERVAL_MS = 60_000;
const PROBE_TIMEOUT_MS = 20_000;

export function createHealthService(deps: HealthServiceDeps): HealthService {
  const startedAt = new Date();
  const chainParts = new Map<string, HealthPart>(
    [...deps.sources.keys()].map((slug) => [slug, { ...UNKNOWN_PART, name: `chain:${slug}` }]),
  );
  const stopping = new AbortController();
  let hasLookedAround = false;
  let followed: ReadonlySet<string> = new Set();
  const others: (() => readonly HealthPart[])[] = [];

  const listParts = (): readonly HealthPart[] => [
    ...[...chainParts].map(([slug, part]) => ({ ...part, inUse: followed.has(slug) })),
    ...others.flatMap((list) => list()),
  ];
  const probeRound = async (): Promise<void> => {
    // While the database cannot tell, what depended on a chain is taken to do so still.
    followed = await deps.followedChains().catch(() => followed);
    const wanted = [...deps.sources].filter(([slug]) => followed.has(slug) || chainParts.get(slug)?.checkedAt === null);
    await Promise.all(
      wanted.map(async ([slug, source]) => {
        const part = await probe(source, AbortSignal.any([stopping.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
        if (stopping.signal.aborted) return;
        if (part.error !== null && chainParts.get(slug)?.status !== 'down') {
          deps.log.warn({ chain: slug, error: part.error }, 'chain cannot be read');
        }
        chainParts.set(slug, part);
      }),
    );
    hasLookedAround = true;
  };
  const lookAtDatabase = async (): Promise<HealthPart> => {
    const database = await checkDatabase(deps.ping);
    if (database.status === 'ok') followed = await deps.followedChains().catch(() => followed);
    return database;
  };
  /** Shared by all who ask at the same time: requests for the health are not limited, and readiness waits for the same connection. */
  let looking: Promise<HealthPart> | undefined;
  const rounds = createRounds({
    run: probeRound,
    intervalMs: PROBE_INTERVAL_MS,
    onError: (error) => deps.log.warn({ err: error }, 'chains could not be looked at'),
  });

  return {
    async getHealth() {
      looking ??= lookAtDatabase().finally(() => {
        looking = undefined;
      });
      const database = await looking;
      const parts = [database, ...listParts()];
      const isDegraded = parts.some((part) => part.inUse && (part.status === 'down' || part.status === 'degraded'));
      const status = database.status === 'down' ? 'down' : isDegraded ? 'degraded' : 'ok';
      return { status, version: deps.version, startedAt, parts };
    },
    addParts: (list) => void others.push(list),
    listPartsInUse: () => listParts().filter((part) => part.inUse),
    hasLookedAround: () => hasLookedAround,
    start: rounds.start,
    stop() {
      stopping.abort();
      return rounds.stop();
    },
  };
}

const UNKNOWN_PART = { status: 'unknown', checkedAt: null, error: null, block: null, inUse: false } as const;

async function checkDatabase(ping: () => Promise<void>): Promise<HealthPart> {
  const error = await ping().then(
    () => null,
    (thrown: unknown) => toAppError(thrown),
  );
  return {
    name: 'database',
    status: error === null ? 'ok' : 'down',
    checkedAt: new Date(),
    error: error === null ? null : { code: error.code, provider: null },
    block: null,
    inUse: true,
  };
}

async function probe(source: BalanceSource, signal: AbortSignal): Promise<HealthPart> {
  const outcome = await source.probe(signal).catch((thrown: unknown) => ({ error: toSourceError(thrown) }));
  const base = { name: `chain:${source.chain}`, checkedAt: new Date(), inUse: false };
  if ('block' in outcome) return { ...base, status: 'ok', error: null, block: outcome.block.number };
  return { ...base, status: 'down', error: outcome.error, block: null };
}
