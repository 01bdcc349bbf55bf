import { setTimeout as sleep } from 'node:timers/promises';
import type { BalanceSource } from '../adapters/balance-source.ts';
import type { RefreshStore } from '../db/refresh-store.ts';
import type { WalletStore } from '../db/wallet-store.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';
import type { SourceReading } from '../domain/holding.ts';
import type { Refresh, RefreshScope, RefreshSource } from '../domain/refresh.ts';
import type { Wallet } from '../domain/wallet.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import { type ChainRefreshDeps, refreshChain } from './chain-refresh.ts';
import { requireChain, requireWallets } from './require-known.ts';

export type RefreshService = {
  /**
   * Starts a refresh of the scope, or joins the one in flight over the same sources, and waits for it up to `waitMs` or until `signal` fires; the
   * refresh itself goes on. Throws wallet_not_found and unknown_chain for a scope that names what is not there.
   */
  refresh(
    tenantId: string,
    scope: RefreshScope,
    options: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<Refresh>;
  /** Throws refresh_not_found. */
  get(tenantId: string, id: string): Promise<Refresh>;
  /** Aborts what is in flight and resolves when it has ended. */
  stop(): Promise<void>;
};

type RefreshServiceDeps = ChainRefreshDeps & {
  readonly wallets: WalletStore;
  readonly refreshes: RefreshStore;
  readonly chains: readonly Chain[];
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  readonly log: Log;
};

type Log = { error(details: object, message: string): void };

/** One chain's share of a refresh. */
type Target = { readonly chain: Chain; readonly source: BalanceSource; readonly wallets: readonly Wallet[] };

/** The longest a refresh may take; the store calls one that is still running then interrupted. */
const REFRESH_DEADLINE_MS = 5 * 60_000;
const POLL_INTERVAL_MS = 500;

export function createRefreshService(deps: RefreshServiceDeps): RefreshService {
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const start = (tenantId: string, id: string, targets: readonly Target[]): void => {
    const work = runRefresh(deps, { tenantId, id, targets, stopSignal: stopping.signal })
      .catch((error: unknown) => deps.log.error({ err: error, refresh: id }, 'refresh failed'))
      .finally(() => running.delete(id));
    running.set(id, work);
  };

  return {
    async refresh(tenantId, scope, { waitMs, signal }) {
      if (stopping.signal.aborted) throw new AppError('shutting_down', 'The service is stopping.');
      const targets = await findTargets(deps, tenantId, scope);
      const { refresh, joined } = await deps.refreshes.startOrJoin(tenantId, {
        scope,
        sources: targets.flatMap(pendingSources),
        deadlineAt: new Date(Date.now() + REFRESH_DEADLINE_MS),
      });
      if (!joined) start(tenantId, refresh.id, targets);
      return waitForEnd(deps.refreshes, { tenantId, refresh, work: running.get(refresh.id), waitMs, signal });
    },
    async get(tenantId, id) {
      const refresh = await deps.refreshes.get(tenantId, id);
      if (refresh === undefined) throw new AppError('refresh_not_found', 'There is no refresh of this id.');
      return refresh;
    },
    async stop() {
      stopping.abort(new AppError('shutting_down', 'The service is stopping.'));
      await Promise.all(running.values());
    },
  };
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

/** Chains are read side by side, so that a dead one delays no other. */
async function runRefresh(
  deps: RefreshServiceDeps,
  { tenantId, id, targets, stopSignal }: { tenantId: string; id: string; targets: readonly Target[]; stopSignal: AbortSignal },
): Promise<void> {
  const signal = AbortSignal.any([stopSignal, AbortSignal.timeout(REFRESH_DEADLINE_MS)]);
  const outcomes = await Promise.allSettled([
    deps.prices.refreshRates(signal),
    ...targets.map((target) =>
      refreshChain(deps, { tenantId, ...target, signal }, (readings) =>
        deps.refreshes.updateSources(tenantId, id, readings.map(toRefreshSource)),
      ),
    ),
  ]);
  await deps.refreshes.finish(tenantId, id);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') deps.log.error({ err: outcome.reason, refresh: id }, 'part of a refresh failed');
  }
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
async function waitForEnd(store: RefreshStore, { tenantId, refresh, work, waitMs, signal }: Waiting): Promise<Refresh> {
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  let current = refresh;
  if (work !== undefined) {
    await untilAborted(work, giveUp).catch(() => undefined);
    return (await store.get(tenantId, refresh.id)) ?? current;
  }
  while (current.status === 'running' && !giveUp.aborted) {
    await sleep(POLL_INTERVAL_MS, undefined, { signal: giveUp }).catch(() => undefined);
    current = (await store.get(tenantId, refresh.id)) ?? current;
  }
  return current;
}
