import type { BalanceSource } from '../adapters/balance-source.ts';
import { toAppError } from '../domain/errors.ts';

export type HealthPart = {
  /** `database`, `chain:ethereum`, `prices:defillama`, `fx:coingecko`. */
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'down' | 'unknown';
  readonly checkedAt: Date | null;
  readonly error: { readonly code: string; readonly provider: string | null } | null;
  /** Newest block or slot seen, for chains. */
  readonly block: bigint | null;
};

/** `down` only when the database is; a chain or price source that fails makes it `degraded`. */
export type Health = {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly version: string;
  readonly startedAt: Date;
  readonly parts: readonly HealthPart[];
};

/** Answers from what background probes found last, within the time of one database ping. */
export type HealthService = { getHealth(): Promise<Health>; start(): void; stop(): Promise<void> };

type HealthServiceDeps = {
  readonly version: string;
  readonly ping: () => Promise<void>;
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  readonly priceHealth: () => readonly HealthPart[];
  readonly log: { warn(details: object, message: string): void };
};

const PROBE_INTERVAL_MS = 60_000;
const PROBE_TIMEOUT_MS = 20_000;

export function createHealthService(deps: HealthServiceDeps): HealthService {
  const startedAt = new Date();
  const chainParts = new Map<string, HealthPart>([...deps.sources.keys()].map((slug) => [slug, unknownPart(`chain:${slug}`)]));
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();

  const probeAll = async (): Promise<void> => {
    await Promise.all(
      [...deps.sources].map(async ([slug, source]) => {
        const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
        const part = await probe(source, signal);
        if (stopping.signal.aborted) return;
        if (part.error !== null && chainParts.get(slug)?.status !== 'down') {
          deps.log.warn({ chain: slug, error: part.error }, 'chain cannot be read');
        }
        chainParts.set(slug, part);
      }),
    );
    if (!stopping.signal.aborted) timer = setTimeout(startRound, PROBE_INTERVAL_MS).unref();
  };
  const startRound = (): void => {
    round = probeAll();
  };

  return {
    async getHealth() {
      const database = await checkDatabase(deps.ping);
      const parts = [database, ...chainParts.values(), ...deps.priceHealth()];
      const isDegraded = parts.some((part) => part.status === 'down' || part.status === 'degraded');
      const status = database.status === 'down' ? 'down' : isDegraded ? 'degraded' : 'ok';
      return { status, version: deps.version, startedAt, parts };
    },
    start: startRound,
    async stop() {
      clearTimeout(timer);
      stopping.abort();
      await round;
    },
  };
}

function unknownPart(name: string): HealthPart {
  return { name, status: 'unknown', checkedAt: null, error: null, block: null };
}

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
  };
}

async function probe(source: BalanceSource, signal: AbortSignal): Promise<HealthPart> {
  const outcome = await source.probe(signal).catch((thrown: unknown) => {
    const { code, provider } = toAppError(thrown);
    return { error: { code, provider: provider ?? null } };
  });
  const base = { name: `chain:${source.chain}`, checkedAt: new Date() };
  if ('block' in outcome) return { ...base, status: 'ok', error: null, block: outcome.block.number };
  return { ...base, status: 'down', error: outcome.error, block: null };
}
