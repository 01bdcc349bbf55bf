import type { BackfillRun, BackfillStore, DaysDone } from '../../db/history/backfill-store.ts';
import type { PastDay } from '../../db/history/past-days.ts';
import type { Lease } from '../../db/refresh-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { Asset } from '../../domain/asset.ts';
import { addDays, type Day, dayOf, endOfDay } from '../../domain/history/backfill.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { SourceError } from '../../domain/holding.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import type { PastPrices } from './past-prices.ts';
import type { PastReader } from './past-reader.ts';

export type BackfillRunDeps = {
  readonly backfills: BackfillStore;
  readonly wallets: Pick<WalletStore, 'get'>;
  readonly past: PastReader;
  readonly prices: PastPrices;
  readonly now: () => Date;
  readonly log: { info(details: object, message: string): void; error(details: object, message: string): void };
};

type Work = { readonly run: BackfillRun; readonly lease: Lease; readonly signal: AbortSignal };

/** What is lost when a process dies, and how much is held in memory. */
const DAYS_AT_A_TIME = 15;
const DAYS_READ_AT_ONCE = 3;
/** Pauses grow with each failure in a row; after the last one a chain is given up. */
const FIRST_PAUSE_SECONDS = 15;
const MAX_ATTEMPTS = 6;

/** Works a backfill off, until it is done, cancelled or handed back. */
export async function runBackfill(deps: BackfillRunDeps, { run, lease, signal }: Work): Promise<void> {
  let left: BackfillRun | undefined = run;
  while (left !== undefined) {
    if (left.nextDay === null || !left.chains.some(isPending)) return deps.backfills.finish(left, lease);
    const outcome = await readDays(deps, left, signal);
    if (signal.aborted) return deps.backfills.handBack(left, lease);
    if (outcome.days.length === 0 && outcome.ended.length === 0) {
      const seconds = FIRST_PAUSE_SECONDS * 2 ** left.attempts;
      deps.log.info(
        { wallet: left.walletId, day: left.nextDay, seconds },
        'a day of the past could not be read: trying again later',
      );
      return deps.backfills.handBack(left, lease, { seconds });
    }
    left = await deps.backfills.saveDays(left, lease, outcome);
  }
}

function isPending({ status }: BackfillRun['chains'][number]): boolean {
  return status === 'pending';
}

/** What was read of one day: by chain what was held, or why that is not known. */
type DayRead = { readonly day: Day; readonly at: Date; readonly chains: readonly ChainRead[]; readonly assets: readonly Asset[] };
type ChainRead = { readonly chain: string } & (
  | { readonly error: null; readonly read: PastDay['chains'][number]; readonly lacking: SourceError | null }
  | { readonly error: SourceError }
);

/** The next days, newest first, up to the first one on which a chain fails. */
async function readDays(deps: BackfillRunDeps, run: BackfillRun, signal: AbortSignal): Promise<DaysDone> {
  const wallet = await deps.wallets.get(run.tenantId, run.walletId);
  const top = run.nextDay;
  const nothing = { days: [], ended: [], unpricedCount: 0, priceErrorCode: null, writtenAt: deps.now() };
  if (wallet === undefined || top === null) return nothing;
  const days = listDays(run.from, top);
  const moments = await listMoments(deps, run, days);
  const reads = await mapLimited(days, DAYS_READ_AT_ONCE, (day) => readDay(deps, run, { wallet, day, moments, signal }));
  const firstBad = reads.findIndex(({ chains }) => chains.some(({ error }) => error !== null));
  const good = firstBad === -1 ? reads : reads.slice(0, firstBad);
  // A chain that fails is given up when there is nothing to hope for, once the days before that are safe.
  const bad = firstBad === 0 ? reads[0] : undefined;
  const ended = bad === undefined || signal.aborted ? [] : endChains(bad, run.attempts);
  const assets = new Map(good.flatMap((read) => read.assets.map((asset) => [asset.id, asset])));
  await deps.prices.fetchRates(
    good.map(({ at }) => at),
    signal,
  );
  const priced = await deps.prices.fetch(good.flatMap(toNeeds), [...assets.values()], signal);
  return {
    ...nothing,
    days: good.map((read) => toPastDay(run, read, moments)),
    ended,
    unpricedCount: priced.unpricedCount,
    priceErrorCode: priced.errorCode,
  };
}

function listDays(from: Day, top: Day): readonly Day[] {
  const days = Array.from({ length: DAYS_AT_A_TIME }, (_, index) => addDays(top, -index));
  return days.filter((day) => day >= from);
}

/** When each day is told, and the day after them: at its last snapshot, or when it ends. */
async function listMoments({ backfills }: BackfillRunDeps, run: BackfillRun, days: readonly Day[]): Promise<(day: Day) => Date> {
  const first = days.at(-1) ?? run.from;
  const last = addDays(days[0] ?? run.from, 1);
  const known = await backfills.listMoments(run.tenantId, { first, last });
  return (day) => known.get(day) ?? endOfDay(day);
}

type DayQuery = {
  readonly wallet: Wallet;
  readonly day: Day;
  readonly moments: (day: Day) => Date;
  readonly signal: AbortSignal;
};

/** Chains are read side by side; one that is known on the day already is left out. */
async function readDay(deps: BackfillRunDeps, run: BackfillRun, { wallet, day, moments, signal }: DayQuery): Promise<DayRead> {
  const at = moments(day);
  const wanted = run.chains.filter((one) => isPending(one) && isBefore(at, one.knownFrom) && wallet.chains.includes(one.chain));
  const reads = await Promise.all(
    wanted.map(async ({ chain, knownFrom }) => {
      const { block, assets, wallets } = await deps.past.read(run.tenantId, { chain, wallets: [wallet], at, signal });
      const [read] = wallets;
      if (read?.status !== 'ok') return { assets, told: { chain, error: read?.error ?? UNREAD } };
      const until = day < lastDay(run, knownFrom) ? moments(addDays(day, 1)) : knownFrom;
      const { amounts, lacking } = read;
      return { assets, told: { chain, error: null, lacking, read: { chain, block, until, amounts } } };
    }),
  );
  return { day, at, chains: reads.map(({ told }) => told), assets: reads.flatMap(({ assets }) => assets) };
}

/** The last day of a chain that was not known before. */
function lastDay({ through }: BackfillRun, knownFrom: Date | null): Day {
  return knownFrom === null ? through : addDays(dayOf(knownFrom), -1);
}

const UNREAD: SourceError = { code: 'upstream_malformed', provider: null };

function isBefore(at: Date, knownFrom: Date | null): boolean {
  return knownFrom === null || at < knownFrom;
}

function endChains({ chains }: DayRead, attempts: number): DaysDone['ended'] {
  return chains.flatMap(({ chain, error }): DaysDone['ended'] => {
    if (error === null) return [];
    if (error.code === 'upstream_no_history') return [{ chain, status: 'unsupported', error }];
    return attempts >= MAX_ATTEMPTS ? [{ chain, status: 'failed', error }] : [];
  });
}

function toNeeds({ at, chains }: DayRead): readonly { assetId: string; at: Date }[] {
  return chains.flatMap((one) =>
    one.error === null ? one.read.amounts.flatMap(({ assetId, amountRaw }) => (amountRaw > 0n ? [{ assetId, at }] : [])) : [],
  );
}

function toPastDay(run: BackfillRun, { day, at, chains }: DayRead, moments: (day: Day) => Date): PastDay {
  const read = chains.flatMap((one) => (one.error === null ? [one.read] : []));
  const next = moments(addDays(day, 1));
  const lacking = run.chains.filter((one) => isBefore(at, one.knownFrom) && !read.some(({ chain }) => chain === one.chain));
  return {
    day,
    at,
    chains: read,
    missing: [
      ...lacking.flatMap((one) => toMissing(run.walletId, one)),
      ...chains.flatMap((one) => toLacking(run.walletId, one)),
    ],
    next: read.some(({ until }) => until?.getTime() === next.getTime()) ? next : null,
  };
}

function toMissing(walletId: string, { chain, status, error }: BackfillRun['chains'][number]): readonly MissingSource[] {
  if (status !== 'failed' && status !== 'unsupported') return [];
  return [{ walletId, chain, kind: 'balances', reason: status, observedAt: null, code: error?.code ?? null }];
}

/** A token without an amount is told of as a gap of its chain. */
function toLacking(walletId: string, told: ChainRead): readonly MissingSource[] {
  if (told.error !== null || told.lacking === null) return [];
  return [{ walletId, chain: told.chain, kind: 'balances', reason: 'failed', observedAt: null, code: told.lacking.code }];
}
