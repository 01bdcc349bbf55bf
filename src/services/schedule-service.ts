import type { BalanceSource } from '../adapters/balance-source.ts';
import type { BegunWallet, NextRead, ScheduleStore, WalletFacts } from '../db/schedule-store.ts';
import type { WalletStore } from '../db/wallet-store.ts';
import { nextCadence, retrySeconds, withJitter } from '../domain/cadence.ts';
import type { Chain, ChainFamily } from '../domain/chain.ts';
import type { SourceReading } from '../domain/holding.ts';
import type { ChainBacklog, WalletBatch } from '../domain/wallet-batch.ts';
import { startDeadline } from '../lib/deadline.ts';
import { type ChainRefreshDeps, refreshChain } from './chain-refresh.ts';

export type ScheduleService = {
  /**
   * Claims wallets that are due, in batches, and hands these to whoever has them read. Claims no more than can be read soon, and none while the last call is
   * still at it. Wallets that could not be handed on are due again at once. Gives the number of batches.
   */
  dispatch(enqueue: (batches: readonly WalletBatch[]) => Promise<void>): Promise<number>;
  /**
   * Reads the wallets of a batch that are still claimed by it, and sets their next reads by what was found. Without effect for a batch whose claim is over. When
   * the signal fires before the end, the wallets are due again at once.
   */
  readBatch(batch: WalletBatch, signal: AbortSignal): Promise<void>;
  /** Brings the prices of all that anybody holds up to date, and the currency rates. */
  refreshPrices(signal: AbortSignal): Promise<void>;
  /** Gives wallets a schedule that have none. */
  adopt(): Promise<void>;
  /** How far behind the schedule of each chain is. */
  getBacklogs(): Promise<readonly ChainBacklog[]>;
};

type ScheduleServiceDeps = ChainRefreshDeps & {
  readonly schedules: ScheduleStore;
  readonly wallets: Pick<WalletStore, 'listAll'>;
  readonly chains: readonly Chain[];
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  /** How often a wallet is read that does nothing special. */
  readonly baseSeconds: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

/** Batches of one chain that may be under way at once: enough to keep endpoints and one core busy, few enough that no chain keeps others waiting. */
const MAX_OPEN_BATCHES = 4;
/** As many wallets as one call carries. */
const BATCH_SIZES: Readonly<Record<ChainFamily, number>> = { evm: 100, solana: 100 };
/** A batch that nobody has begun by then was lost with its queue. */
const CLAIM_LEASE_SECONDS = 60;
const READ_DEADLINE_MS = 120_000;
/** Longer than the read and than it takes to notice that a worker is gone. */
const READ_LEASE_SECONDS = 180;

export function createScheduleService(deps: ScheduleServiceDeps): ScheduleService {
  const { schedules, sources } = deps;
  const chains = deps.chains.filter(({ slug }) => sources.has(slug));
  let dispatching: Promise<number> | undefined;
  return {
    dispatch(enqueue) {
      dispatching ??= dispatch(deps, chains, enqueue).finally(() => {
        dispatching = undefined;
      });
      return dispatching;
    },
    async readBatch(batch, signal) {
      const chain = chains.find(({ slug }) => slug === batch.chain);
      const source = sources.get(batch.chain);
      if (chain === undefined || source === undefined) return;
      const options = { leaseSeconds: READ_LEASE_SECONDS, retrySeconds: retrySeconds(deps.baseSeconds) };
      const begun = await schedules.begin(batch, options);
      if (begun.length > 0) await readBegun(deps, { batch, chain, source, begun, stopSignal: signal });
    },
    async refreshPrices(signal) {
      const assets = await deps.balances.listAssetsToPrice();
      await Promise.all([deps.prices.refreshPrices(assets, signal), deps.prices.refreshRates(signal)]);
    },
    adopt: () => schedules.adopt(),
    getBacklogs: () => schedules.getBacklogs(chains.map(({ slug }) => slug)),
  };
}

async function dispatch(
  { schedules, log }: ScheduleServiceDeps,
  chains: readonly Chain[],
  enqueue: (batches: readonly WalletBatch[]) => Promise<void>,
): Promise<number> {
  const batches = await schedules.claimDue({
    chains: chains.map(({ slug, family }) => ({ slug, batchSize: BATCH_SIZES[family] })),
    maxOpenBatches: MAX_OPEN_BATCHES,
    leaseSeconds: CLAIM_LEASE_SECONDS,
  });
  if (batches.length === 0) return 0;
  try {
    await enqueue(batches);
    return batches.length;
  } catch (error) {
    // Those that arrived after all find their claims gone.
    log.warn({ err: error, batches: batches.length }, 'batches could not be queued');
    await schedules.release(batches.map(({ claimId }) => claimId));
    return 0;
  }
}

type BatchRead = {
  readonly batch: WalletBatch;
  readonly chain: Chain;
  readonly source: BalanceSource;
  readonly begun: readonly BegunWallet[];
  readonly stopSignal: AbortSignal;
};

async function readBegun(deps: ScheduleServiceDeps, { batch, chain, source, begun, stopSignal }: BatchRead): Promise<void> {
  const { schedules } = deps;
  const { tenantId } = batch;
  const walletIds = begun.map(({ walletId }) => walletId);
  const target = { tenantId, chain: chain.slug, walletIds };
  const deadline = startDeadline(stopSignal, READ_DEADLINE_MS);
  const good = new Set<string>();
  const note = async (readings: readonly SourceReading[]): Promise<void> => {
    for (const walletId of findGood(readings)) good.add(walletId);
  };
  try {
    const before = await schedules.getFacts(target);
    const wallets = await deps.wallets.listAll(tenantId, { walletIds });
    await refreshChain(deps, { tenantId, chain, source, wallets, signal: deadline.signal }, note).catch((error: unknown) => {
      // The amounts are stored by then; the prices have a schedule of their own.
      if (!deadline.isPast) throw error;
    });
    const after = await schedules.getFacts(target);
    await schedules.finish(
      batch,
      begun.map((wallet) => planNext(deps, wallet, { isGood: good.has(wallet.walletId), before, after })),
    );
  } catch (error) {
    if (stopSignal.aborted) return schedules.release([batch.claimId]);
    await schedules.finish(
      batch,
      begun.map((wallet) => planNext(deps, wallet, { isGood: false, before: NONE, after: NONE })),
    );
    throw error;
  } finally {
    deadline.end();
  }
}

const NONE: ReadonlyMap<string, WalletFacts> = new Map();

/** Wallets whose balances were read. Stake that an endpoint does not tell is no reason to ask less often. */
function findGood(readings: readonly SourceReading[]): readonly string[] {
  const failed = new Set(readings.filter(({ status }) => status === 'failed').map(({ walletId }) => walletId));
  return readings
    .filter(({ walletId, kind, status }) => kind === 'balances' && status === 'ok' && !failed.has(walletId))
    .map(({ walletId }) => walletId);
}

type Found = {
  readonly isGood: boolean;
  readonly before: ReadonlyMap<string, WalletFacts>;
  readonly after: ReadonlyMap<string, WalletFacts>;
};

function planNext({ baseSeconds, random }: ScheduleServiceDeps, wallet: BegunWallet, { isGood, before, after }: Found): NextRead {
  const { walletId } = wallet;
  const now = after.get(walletId);
  const cadence = nextCadence(baseSeconds, wallet, {
    outcome: isGood ? 'ok' : 'failed',
    hasChanged: now?.fingerprint !== before.get(walletId)?.fingerprint,
    isEmpty: now === undefined || now.fingerprint === null,
    valueUsd: now?.valueUsd ?? null,
  });
  return { walletId, ...cadence, dueInSeconds: withJitter(cadence.intervalSeconds, random()) };
}
