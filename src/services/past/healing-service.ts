import type { HealingStore, HistoryGap } from '../../db/history/healing-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { PastReader } from './past-reader.ts';

export type HealingService = {
  /**
   * Fills gaps of the past whose source is back, the newest first, at the block of the snapshot that lacks it; so many in one run. Gives their number. What no endpoint knows stays carried forward, and
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
/** A chain is left alone for so long after its endpoints failed, and when none of them keeps its past. */
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
      for (const gap of await deps.healing.listGaps({ chains, limit: MAX_GAPS })) {
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
async function healGap(
  { healing, past, wallets, now }: HealingServiceDeps,
  { tenantId, chain, at, walletIds }: HistoryGap,
  signal: AbortSignal,
): Promise<ErrorCode | undefined> {
  const followed = await wallets.listAll(tenantId, { walletIds });
  const { block, wallets: read } = await past.read(tenantId, { chain, wallets: followed, at, signal });
  const good = read.filter((wallet) => wallet.status === 'ok');
  if (good.length > 0) await healing.fill(tenantId, { chain, at, block, wallets: good, healedAt: now() });
  return read.find((wallet) => wallet.status === 'failed')?.error.code;
}

async function pause(
  { healing, now, log }: HealingServiceDeps,
  pauses: Pauses,
  { gap, failure }: { readonly gap: HistoryGap; readonly failure: ErrorCode },
): Promise<void> {
  const { chain, at } = gap;
  const isForGood = failure === 'upstream_no_history';
  pauses.set(chain, now().getTime() + (isForGood ? NO_HISTORY_PAUSE_MS : FAILED_PAUSE_MS));
  log.info({ chain, at, code: failure }, 'a gap of the past could not be filled');
  if (isForGood) await healing.giveUp(gap, failure);
}
