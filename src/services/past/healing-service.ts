import type { HealingStore, HistoryGap } from '../../db/history/healing-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { PastReader } from './past-reader.ts';

export type HealingService = {
  /**
   * Fills gaps of the past whose source is back, those never tried and the newest first, at the block of the snapshot that lacks it; so many in one run. Gives their number. What no endpoint knows stays carried forward, and
   * the snapshots say why.
   */
  heal(signal: AbortSignal): Promise<number>;
};

type HealingServiceDeps = {
  readonly healing: HealingStore;
  readonly past: PastReader;
  readonly wallets: Pick<WalletStore, 'listAll'>;
  readonly now: () => Date;
  readonly log: { info(details: object, message: string): void };
};

const MAX_GAPS = 30;
/** A gap, or a chain, is left alone for so long after it could not be read, and a chain when none of its endpoints keeps its past. */
const FAILED_PAUSE_MS = 5 * 60_000;
const NO_HISTORY_PAUSE_MS = 3_600_000;

/** Why a chain is left alone, and until when. */
type Pauses = Map<string, number>;

export function createHealingService(deps: HealingServiceDeps): HealingService {
  const pauses: Pauses = new Map();
  return {
    async heal(signal) {
      const now = deps.now().getTime();
      const chains = [...deps.past.chains].filter((chain) => (pauses.get(chain) ?? 0) <= now);
      if (chains.length === 0) return 0;
      let count = 0;
      for (const gap of await deps.healing.listGaps({ chains, triedBefore: new Date(now - FAILED_PAUSE_MS), limit: MAX_GAPS })) {
        if (signal.aborted) break;
        if ((pauses.get(gap.chain) ?? 0) > now) continue;
        const failure = await healGap(deps, gap, signal);
        if (failure === undefined) count += 1;
        else if (!signal.aborted) await pause(deps, pauses, { gap, failure });
      }
      if (count > 0) deps.log.info({ count }, 'gaps of the past were filled');
      return count;
    },
  };
}

/** What stood in the way, if anything did. */
type Failure = { readonly code: ErrorCode; readonly isOfChain: boolean };

async function healGap(
  { healing, past, wallets, now }: HealingServiceDeps,
  { tenantId, chain, at, walletIds }: HistoryGap,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const followed = await wallets.listAll(tenantId, { walletIds });
  const { block, wallets: read } = await past.read(tenantId, { chain, wallets: followed, at, signal });
  // A gap is whole only with all that was held.
  const good = read.flatMap((wallet) => (wallet.status === 'ok' && wallet.lacking === null ? [wallet] : []));
  if (good.length > 0) await healing.fill(tenantId, { chain, at, block, wallets: good, healedAt: now() });
  const [failure] = read.flatMap((wallet) => (wallet.status === 'ok' ? (wallet.lacking ?? []) : wallet.error));
  return failure && { code: failure.code, isOfChain: block === null || failure.code === 'upstream_no_history' };
}

/** The gap is left alone for a while, so that the next ones get their turn; the chain only when nothing of it could be read. */
async function pause(
  { healing, now, log }: HealingServiceDeps,
  pauses: Pauses,
  { gap, failure }: { readonly gap: HistoryGap; readonly failure: Failure },
): Promise<void> {
  const { chain, at } = gap;
  const { code, isOfChain } = failure;
  const isForGood = code === 'upstream_no_history';
  if (isOfChain) pauses.set(chain, now().getTime() + (isForGood ? NO_HISTORY_PAUSE_MS : FAILED_PAUSE_MS));
  await healing.noteAttempt(gap, now());
  log.info({ chain, at, code }, 'a gap of the past could not be filled');
  if (isForGood) await healing.giveUp(gap, code);
}
