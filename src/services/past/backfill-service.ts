import type { BackfillStore, NewBackfill } from '../../db/history/backfill-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import { AppError } from '../../domain/errors.ts';
import { addDays, type Backfill, countDays, type Day, dayOf } from '../../domain/history/backfill.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { type BackfillRunDeps, runBackfill } from './backfill-run.ts';

export type BackfillService = {
  /**
   * Begins to read the past of a wallet, from a day on to the last one that is not known, or joins the one that does the same already. Throws wallet_not_found, invalid_request for a day that is not
   * in the past, conflict while another one of the wallet runs.
   */
  start(tenantId: string, walletId: string, from: Day): Promise<Backfill>;
  /** The last one of the wallet. Throws wallet_not_found, backfill_not_found. */
  get(tenantId: string, walletId: string): Promise<Backfill>;
  /** Ends it; what was read stays. Throws as `get` does. */
  cancel(tenantId: string, walletId: string): Promise<Backfill>;
  /** Takes up what nobody runs: what was just started, paused, or left by a process that died. Gives their number. */
  resume(): Promise<number>;
  /** Hands back what is in hand, for other processes to go on with, and resolves when that is done. */
  stop(): Promise<void>;
};

type BackfillServiceDeps = BackfillRunDeps & { readonly wallets: Pick<WalletStore, 'get'> };

/** More than the oldest chain has. */
const MAX_DAYS = 6_000;
const RUNS_AT_ONCE = 2;
/** A process that died is found out after this time. */
const LEASE_SECONDS = 15;
const RENEW_INTERVAL_MS = 5_000;
/** After a fault of our own. */
const FAULT_PAUSE_SECONDS = 60;

export function createBackfillService(deps: BackfillServiceDeps): BackfillService {
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  const resume = async (): Promise<number> => {
    const room = RUNS_AT_ONCE - running.size;
    if (stopping.signal.aborted || room <= 0) return 0;
    const lease = { runnerId: crypto.randomUUID(), leaseSeconds: LEASE_SECONDS };
    const runs = await deps.backfills.takeUp(lease, room);
    for (const run of runs) {
      const renewal = setInterval(() => {
        deps.backfills.renew(run, lease).catch((error: unknown) => logFailure(error, run.walletId));
      }, RENEW_INTERVAL_MS);
      const work = runBackfill(deps, { run, lease, signal: stopping.signal })
        .catch(async (error: unknown) => {
          logFailure(error, run.walletId);
          await deps.backfills.handBack(run, lease, { seconds: FAULT_PAUSE_SECONDS }).catch(() => undefined);
        })
        .finally(() => {
          clearInterval(renewal);
          running.delete(work);
        });
      running.add(work);
    }
    return runs.length;
  };
  const logFailure = (error: unknown, walletId: string): void => {
    deps.log.error({ err: error, wallet: walletId }, 'the past of a wallet could not be written down');
  };

  return {
    async start(tenantId, walletId, from) {
      if (stopping.signal.aborted) throw new AppError('shutting_down', 'The service is stopping.');
      const wallet = await requireWallet(deps, tenantId, walletId);
      requirePast(from, deps.now());
      const outcome = await deps.backfills.startOrJoin(tenantId, await plan(deps, tenantId, { wallet, from }));
      if (outcome === 'refused') throw new AppError('conflict', 'The past of this wallet is being read from another day on.');
      await resume();
      return requireBackfill(deps.backfills, tenantId, walletId);
    },
    async get(tenantId, walletId) {
      await requireWallet(deps, tenantId, walletId);
      return requireBackfill(deps.backfills, tenantId, walletId);
    },
    async cancel(tenantId, walletId) {
      await requireWallet(deps, tenantId, walletId);
      await deps.backfills.cancel(tenantId, walletId);
      return requireBackfill(deps.backfills, tenantId, walletId);
    },
    resume,
    async stop() {
      stopping.abort(new AppError('shutting_down', 'The service is stopping.'));
      await Promise.all(running);
    },
  };
}

async function requireWallet({ wallets }: BackfillServiceDeps, tenantId: string, walletId: string): Promise<Wallet> {
  const wallet = await wallets.get(tenantId, walletId);
  if (wallet === undefined) throw new AppError('wallet_not_found', 'There is no wallet of this id.');
  return wallet;
}

async function requireBackfill(backfills: BackfillStore, tenantId: string, walletId: string): Promise<Backfill> {
  const backfill = await backfills.get(tenantId, walletId);
  if (backfill === undefined) throw new AppError('backfill_not_found', 'The past of this wallet was never asked for.');
  return backfill;
}

function requirePast(from: Day, now: Date): void {
  const days = countDays(from, addDays(dayOf(now), -1));
  if (days > 0 && days <= MAX_DAYS) return;
  const message = days > 0 ? `At most ${MAX_DAYS} days can be asked for.` : 'The day must have ended.';
  throw new AppError('invalid_request', message, { issues: [{ pointer: '/body/from', code: 'invalid_value', message }] });
}

/** Each chain is read up to the last day before it was known. */
async function plan(
  { backfills, past, now }: BackfillServiceDeps,
  tenantId: string,
  { wallet, from }: { readonly wallet: Wallet; readonly from: Day },
): Promise<NewBackfill> {
  const chains = await Promise.all(
    wallet.chains.map(async (chain) => {
      const knownFrom = await backfills.findKnownFrom(tenantId, { walletId: wallet.id, chain });
      if (!past.chains.has(chain)) return { chain, knownFrom, status: 'unsupported', error: NO_PAST } as const;
      const through = addDays(dayOf(knownFrom ?? now()), -1);
      return { chain, knownFrom, status: through < from ? 'ok' : 'pending', error: null } as const;
    }),
  );
  const ends = chains.flatMap(({ status, knownFrom }) => (status === 'pending' ? [addDays(dayOf(knownFrom ?? now()), -1)] : []));
  const through = ends.toSorted().at(-1) ?? null;
  return { walletId: wallet.id, from, through, daysTotal: through === null ? 0 : countDays(from, through), chains };
}

const NO_PAST = { code: 'upstream_unsupported', provider: null } as const;
