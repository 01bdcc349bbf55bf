import type { ChangeFeed } from '../../db/change-feed.ts';
import type { Portfolio } from '../../domain/portfolio.ts';
import type { PortfolioService } from '../portfolio-service.ts';

/** What a portfolio comes to at a moment. */
export type Totals = {
  /** The number of an event whose effects are in it, as are those of all before. */
  readonly seq: bigint;
  /** The same for the same data only. */
  readonly version: string;
  readonly portfolio: Portfolio;
};

/** What one tenant's portfolio comes to, worked out once for all who follow it in this process. */
export type TotalsWatch = {
  /** As of now, or of a second ago at most. Throws database_unavailable. */
  get(): Promise<Totals>;
  /** Takes in that the data have changed. */
  hear(): void;
  /** Hears of each change of the totals, one a second at most. */
  readonly listeners: Set<(totals: Totals) => void>;
  close(): void;
};

type TotalsWatchDeps = {
  readonly tenantId: string;
  readonly portfolio: Pick<PortfolioService, 'getPortfolio'>;
  readonly feed: Pick<ChangeFeed, 'currentVersion'>;
  /** The number of the last event that was told. */
  readonly lastSeq: () => bigint;
  readonly log: { warn(details: object, message: string): void };
};

const LEAST_INTERVAL_MS = 1_000;
const EVERYTHING = { chains: null, walletIds: null, minValue: null, currency: 'USD', includeSpam: false } as const;

export function createTotalsWatch({ tenantId, portfolio, feed, lastSeq, log }: TotalsWatchDeps): TotalsWatch {
  const listeners = new Set<(totals: Totals) => void>();
  let latest: { readonly totals: Totals; readonly at: number } | undefined;
  let working: Promise<Totals> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  /** Whether the data have changed since they were read last. */
  let isDirty = false;

  const work = async (): Promise<Totals> => {
    isDirty = false;
    const at = performance.now();
    const seq = lastSeq();
    const { key: version } = await feed.currentVersion(tenantId);
    const totals = { seq, version, portfolio: await portfolio.getPortfolio(tenantId, EVERYTHING) };
    const hasChanged = latest !== undefined && signOf(latest.totals) !== signOf(totals);
    latest = { totals, at };
    if (hasChanged && !isClosed) for (const listener of listeners) listener(totals);
    return totals;
  };
  const workOnce = (): Promise<Totals> => {
    working ??= work().finally(() => {
      working = undefined;
      if (isDirty) workLater(LEAST_INTERVAL_MS);
    });
    return working;
  };
  const workLater = (delayMs: number): void => {
    if (isClosed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      workOnce().catch((error: unknown) => {
        log.warn({ err: error }, 'the totals cannot be told; trying again');
        workLater(LEAST_INTERVAL_MS);
      });
    }, delayMs).unref();
  };
  return {
    listeners,
    async get() {
      if (latest !== undefined && performance.now() - latest.at < LEAST_INTERVAL_MS) return latest.totals;
      return workOnce();
    },
    hear() {
      isDirty = true;
      // Whatever is being read may be from before the change.
      if (working !== undefined) return;
      const sinceMs = latest === undefined ? LEAST_INTERVAL_MS : performance.now() - latest.at;
      workLater(Math.max(0, LEAST_INTERVAL_MS - sinceMs));
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Two of the same sign say the same. */
function signOf({ portfolio }: Totals): string {
  const { totalUsdValue, complete, incompleteReasons, unpricedCount } = portfolio;
  return JSON.stringify([totalUsdValue?.toFixed() ?? null, complete, incompleteReasons, unpricedCount]);
}
