import type { ChangesStore, RateAt } from '../../db/history/changes-store.ts';
import type { HistoryStore } from '../../db/history/history-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import { calendarDay } from '../../domain/history/calendar-day.ts';
import { type ChartInterval, isTimeZone } from '../../domain/history/chart-intervals.ts';
import type { Snapshot } from '../../domain/history/snapshot.ts';
import type { Wallet } from '../../domain/wallet.ts';
import { type AssetRulesDeps, readAssetRules } from './asset-rules.ts';
import { type Estimate, listEstimates } from './estimates.ts';
import { refuse } from './history-query.ts';
import { type StatedHolding, stateHoldings } from './state-holdings.ts';

export type StatementQuery = {
  /** `2026-11-21`. */
  readonly date: string;
  readonly timeZone: string;
  /** Upper-case code. */
  readonly currency: string;
};

/** What a group of holdings is worth together. */
export type StatementTotal = {
  /** The sum of what has a value. */
  readonly usdValue: Decimal;
  /** Null when the currency's rate is not known. */
  readonly value: Decimal | null;
  readonly unpricedCount: number;
};

export type Statement = StatementTotal & {
  readonly date: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly day: ChartInterval;
  /** The last one before the day's close, which may be of an earlier day. */
  readonly snapshot: Snapshot;
  /** Null when it is not known. The dollar's own has no source. */
  readonly rate: RateAt | null;
  readonly holdings: readonly StatedHolding[];
  /** Those that are followed today, by their ids. */
  readonly wallets: ReadonlyMap<string, Wallet>;
  readonly byAsset: ReadonlyMap<string, StatementTotal>;
  readonly byChain: ReadonlyMap<string, StatementTotal>;
  readonly byWallet: ReadonlyMap<string, StatementTotal>;
  /** What is not of the close itself. */
  readonly estimates: readonly Estimate[];
  /** Assets that are left out, since they count as spam or are held back today. */
  readonly excludedCount: number;
};

export type StatementService = {
  /** What was held and worth at the end of a day that is over. Throws invalid_request, snapshot_not_found. */
  getStatement(tenantId: string, query: StatementQuery): Promise<Statement>;
};

export type StatementServiceDeps = AssetRulesDeps & {
  readonly changes: ChangesStore;
  readonly history: Pick<HistoryStore, 'findSnapshots'>;
  readonly wallets: Pick<WalletStore, 'listAll'>;
};

export function createStatementService(deps: StatementServiceDeps): StatementService {
  return { getStatement: (tenantId, query) => getStatement(deps, tenantId, query) };
}

async function getStatement(deps: StatementServiceDeps, tenantId: string, query: StatementQuery): Promise<Statement> {
  const day = requireDay(query, deps.now());
  const snapshot = await findLast(deps, tenantId, day);
  const [stored, rate, wallets] = await Promise.all([
    deps.changes.readHoldings(tenantId, snapshot.at),
    readRate(deps, query.currency, snapshot.at),
    deps.wallets.listAll(tenantId, { walletIds: null }),
  ]);
  const held = stored.filter(({ amountRaw }) => amountRaw > 0n);
  const rules = await readAssetRules(deps, tenantId, [...new Set(held.map(({ assetId }) => assetId))]);
  const holdings = stateHoldings(held, rules, rate?.perUsd ?? null);
  const totalBy = (keyOf: (holding: StatedHolding) => string): ReadonlyMap<string, StatementTotal> =>
    new Map([...Map.groupBy(holdings, keyOf)].map(([key, group]) => [key, addUp(group, rate)]));
  return {
    ...query,
    ...addUp(holdings, rate),
    day,
    snapshot,
    rate,
    holdings,
    wallets: new Map(wallets.map((wallet) => [wallet.id, wallet])),
    byAsset: totalBy(({ asset }) => asset.id),
    byChain: totalBy(({ asset }) => asset.chain),
    byWallet: totalBy(({ walletId }) => walletId),
    estimates: listEstimates({ day, snapshot, holdings, rate: query.currency === 'USD' ? null : rate }),
    excludedCount: [...rules.values()].filter(({ isExcluded }) => isExcluded).length,
  };
}

function requireDay({ date, timeZone }: StatementQuery, now: Date): ChartInterval {
  if (!isTimeZone(timeZone)) throw refuse('tz', 'This is no time zone of the IANA database.');
  const day = calendarDay(date, timeZone);
  if (day === undefined) throw refuse('date', 'There is no such day in this time zone.');
  if (day.end > now) throw refuse('date', 'This day is not over yet in this time zone.');
  return day;
}

/** The close itself is of the next day. */
async function findLast({ history }: StatementServiceDeps, tenantId: string, { end }: ChartInterval): Promise<Snapshot> {
  // Databases count less far back than dates do.
  const until = { from: new Date(0), to: new Date(Math.max(0, end.getTime() - 1)) };
  const [found] = await history.findSnapshots(tenantId, [until], 'raw');
  if (found === undefined) throw new AppError('snapshot_not_found', 'Nothing had been written down yet by the end of this day.');
  return found.snapshot;
}

async function readRate({ changes }: StatementServiceDeps, currency: string, at: Date): Promise<RateAt | null> {
  if (currency === 'USD') return { perUsd: new Decimal(1), source: null, quotedAt: null };
  return (await changes.findRate(currency, at)) ?? null;
}

function addUp(holdings: readonly StatedHolding[], rate: RateAt | null): StatementTotal {
  const usdValue = holdings.reduce((sum, holding) => sum.plus(holding.usdValue ?? 0), new Decimal(0));
  return {
    usdValue,
    value: rate === null ? null : usdValue.times(rate.perUsd),
    unpricedCount: holdings.filter((holding) => holding.usdValue === null).length,
  };
}
