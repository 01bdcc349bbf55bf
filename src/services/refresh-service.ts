import { setTimeout as sleep } from 'node:timers/promises';
import type { BalanceSource } from '../adapters/balance-source.ts';
import type { Lease, RefreshStore } from '../db/refresh-store.ts';
import type { WalletStore } from '../db/wallet-store.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError, toAppError } from '../domain/errors.ts';
import type { SourceReading } from '../domain/holding.ts';
import type { Refresh, RefreshScope, RefreshSource } from '../domain/refresh.ts';
import type { Wallet } from '../domain/wallet.ts';
import { startDeadline } from '../lib/deadline.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import type { QuotaService } from './access/quota-service.ts';
import { type ChainRefreshDeps, refreshChain } from './chain-refresh.ts';
import { requireChain, requireWallets } from './require-known.ts';

export type RefreshService = {
  /**
   * Starts a refresh of the scope, or joins the one in flight over the same sources, and waits for it up to `waitMs` or until `signal` fires; the
   * refresh itself goes on. Throws wallet_not_found and unknown_chain for a scope that names what is not there, and rate_limited when the tenant has
   * started as many within the hour as it may.
   */
  refresh(
    tenantId: string,
    scope: RefreshScope,
    options: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<Refresh>;
  /** Throws refresh_not_found. */
  get(tenantId: string, id: string): Promise<Refresh>;
  /** Takes over refreshes whose process has died or stopped and goes on with what is left of them. Gives their number. */
  resumeLost(): Promise<number>;
  /** Hands back what is in flight, for other processes to go on with, and resolves when that is done. */
  stop(): Promise<void>;
};

type RefreshServiceDeps = ChainRefreshDeps & {
  readonly wallets: WalletStore;
  readonly refreshes: RefreshStore;
  readonly quotas: QuotaService;
  readonly chains: readonly Chain[];
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  /** Calls back when a refresh has ended in any process. */
  readonly onRefreshEnded: (id: string, listener: () => void) => () => void;
  readonly log: Log;
};

type Log = { info(details: object, message: string): void; error(details: object, message: string): void };

/** One chain's share of a refresh. */
type Target = { readonly chain: Chain; readonly source: BalanceSource; readonly wallets: readonly Wallet[] };

/** One process's part in a refresh. */
type Run = {
  readonly tenantId: string;
  readonly id: string;
  readonly targets: readonly Target[];
  readonly lease: Lease;
  readonly remainingMs: number;
};

/** The longest a refresh may take; the store calls one that is still running then interrupted. */
const REFRESH_DEADLINE_MS = 5 * 60_000;
/** A process that died is found out after this time. */
const LEASE_SECONDS = 15;
const RENEW_INTERVAL_MS = 5_000;
const MAX_RESUMED_AT_ONCE = 10;
/** For when the word of its end was lost. */
const POLL_INTERVAL_MS = 2_000;

export function createRefreshService(deps: RefreshServiceDeps): RefreshService {
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const start = (run: Run): void => {
    const work = runUnderLease(deps, run, stopping.signal)
      .catch((error: unknown) => deps.log.error({ err: error, refresh: run.id }, 'refresh failed'))
      .finally(() => {
        // One whose lease was lost may have been taken up anew by this very process.
        if (running.get(run.id) === work) running.delete(run.id);
      });
    running.set(run.id, work);
  };

  return {
    async refresh(tenantId, scope, { waitMs, signal }) {
      if (stopping.signal.aborted) throw new AppError('shutting_down', 'The service is stopping.');
      const targets = await findTargets(deps, tenantId, scope);
      const lease = newLease();
      const { refresh, joined } = await deps.refreshes.startOrJoin(tenantId, {
        scope,
        sources: targets.flatMap(pendingSources),
        deadlineAt: new Date(Date.now() + REFRESH_DEADLINE_MS),
        lease,
        maxPerHour: (await deps.quotas.get(tenantId)).refreshesPerHour,
      });
      if (!joined) start({ tenantId, id: refresh.id, targets, lease, remainingMs: REFRESH_DEADLINE_MS });
      return waitForEnd(deps, { tenantId, refresh, work: running.get(refresh.id), waitMs, signal });
    },
    async get(tenantId, id) {
      const refresh = await deps.refreshes.get(tenantId, id);
      if (refresh === undefined) throw new AppError('refresh_not_found', 'There is no refresh of this id.');
      return refresh;
    },
    async resumeLost() {
      if (stopping.signal.aborted) return 0;
      const lease = newLease();
      const lost = await deps.refreshes.takeOver(lease, MAX_RESUMED_AT_ONCE);
      for (const { tenantId, refresh, remainingMs } of lost) {
        deps.log.info({ refresh: refresh.id }, 'resuming a refresh that its process left');
        start({ tenantId, id: refresh.id, targets: await findPendingTargets(deps, tenantId, refresh), lease, remainingMs });
      }
      return lost.length;
    },
    async stop() {
      stopping.abort(new AppError('shutting_down', 'The service is stopping.'));
      await Promise.all(running.values());
    },
  };
}

function newLease(): Lease {
  return { runnerId: crypto.randomUUID(), leaseSeconds: LEASE_SECONDS };
}

async function findTargets(deps: RefreshServiceDeps, tenantId: string, scope: RefreshScope): Promise<readonly Target[]> {
  for (const slug of scope.chains ?? []) requireChain(deps.chains, slug);
  const wallets = await deps.wallets.listAll(tenantId, { walletIds: scope.walletIds });
  requireWallets(wallets, scope.walletIds);
  return deps.chains.flatMap((chain) => {
    const source = deps.sources.get(chain.slug);
    const followers = wallets.filter((wallet) => wallet.chains.includes(chain.slug));
    const isWanted = scope.chains === null || scope.chains.includes(chain.slug);
    return source !== undefined && isWanted && followers.length > 0 ? [{ chain, source, wallets: followers }] : [];
  });
}

function pendingSources({ chain, source, wallets }: Target): RefreshSource[] {
  return wallets.flatMap((wallet) =>
    source.kinds.map((kind) => ({ walletId: wallet.id, chain: chain.slug, kind, status: 'pending', error: null }) as const),
  );
}

/** What is left of a refresh that another process began. Wallets that are gone by now have had their turn. */
async function findPendingTargets(deps: RefreshServiceDeps, tenantId: string, { sources }: Refresh): Promise<readonly Target[]> {
  const pending = Map.groupBy(
    sources.filter(({ status }) => status === 'pending'),
    ({ chain }) => chain,
  );
  const walletIds = [...new Set([...pending.values()].flat().map(({ walletId }) => walletId))];
  const wallets = await deps.wallets.listAll(tenantId, { walletIds });
  return deps.chains.flatMap((chain) => {
    const source = deps.sources.get(chain.slug);
    const wanted = new Set(pending.get(chain.slug)?.map(({ walletId }) => walletId));
    const left = wallets.filter(({ id, chains }) => wanted.has(id) && chains.includes(chain.slug));
    return source !== undefined && left.length > 0 ? [{ chain, source, wallets: left }] : [];
  });
}

/** Nobody else takes the refresh over as long as this process lives and reaches the database. */
async function runUnderLease(deps: RefreshServiceDeps, run: Run, stopSignal: AbortSignal): Promise<void> {
  const { tenantId, id, lease } = run;
  const renewal = setInterval(() => {
    deps.refreshes.renew(tenantId, id, lease).catch((error: unknown) => {
      deps.log.error({ err: error, refresh: id }, 'lease of a refresh not renewed');
    });
  }, RENEW_INTERVAL_MS);
  try {
    await runRefresh(deps, run, stopSignal);
  } finally {
    clearInterval(renewal);
  }
}

/** Chains are read side by side, so that a dead one delays no other. */
async function runRefresh(
  deps: RefreshServiceDeps,
  { tenantId, id, targets, lease, remainingMs }: Run,
  stopSignal: AbortSignal,
): Promise<void> {
  const deadline = startDeadline(stopSignal, remainingMs);
  const { signal } = deadline;
  const outcomes = await Promise.allSettled([
    deps.prices.refreshRates(signal),
    ...targets.map((target) =>
      refreshChain(deps, { tenantId, ...target, signal }, (readings) =>
        deps.refreshes.updateSources(tenantId, id, readings.map(toRefreshSource)),
      ),
    ),
  ]);
  deadline.end();
  const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [toAppError(outcome.reason)] : []));
  if (faults.length > 0 && stopSignal.aborted) return deps.refreshes.handBack(tenantId, id, lease);
  for (const fault of faults) deps.log.error({ err: fault, refresh: id }, 'part of a refresh failed');
  // What could not be stored is read again, by whoever reaches the database first.
  if (faults.some(({ code }) => code === 'database_unavailable')) await deps.refreshes.handBack(tenantId, id, lease);
  else await deps.refreshes.finish(tenantId, id, lease);
}

function toRefreshSource({ walletId, chain, kind, ...outcome }: SourceReading): RefreshSource {
  return { walletId, chain, kind, status: outcome.status, error: outcome.status === 'ok' ? null : outcome.error };
}

type Waiting = {
  readonly tenantId: string;
  readonly refresh: Refresh;
  /** Undefined when another process runs the refresh. */
  readonly work: Promise<void> | undefined;
  readonly waitMs: number;
  readonly signal: AbortSignal;
};

/** The refresh as it stands when it has ended, the time is up, or the caller is gone. */
async function waitForEnd(
  { refreshes, onRefreshEnded }: RefreshServiceDeps,
  { tenantId, refresh, work, waitMs, signal }: Waiting,
): Promise<Refresh> {
  const deadline = startDeadline(signal, waitMs);
  const giveUp = deadline.signal;
  let current = refresh;
  try {
    if (work !== undefined) {
      await untilAborted(work, giveUp).catch(() => undefined);
      return (await refreshes.get(tenantId, refresh.id)) ?? current;
    }
    while (current.status === 'running' && !giveUp.aborted) {
      await untilEnded(onRefreshEnded, refresh.id, giveUp);
      current = (await refreshes.get(tenantId, refresh.id)) ?? current;
    }
    return current;
  } finally {
    deadline.end();
  }
}

/** Resolves when the refresh has ended, or after a while. */
async function untilEnded(onRefreshEnded: RefreshServiceDeps['onRefreshEnded'], id: string, giveUp: AbortSignal): Promise<void> {
  const wake = new AbortController();
  const stopListening = onRefreshEnded(id, () => wake.abort());
  try {
    await sleep(POLL_INTERVAL_MS, undefined, { signal: AbortSignal.any([giveUp, wake.signal]) }).catch(() => undefined);
  } finally {
    stopListening();
  }
}
