import type { ChangesStore, HoldingAt } from '../../db/history/changes-store.ts';
import type { HistoryStore } from '../../db/history/history-store.ts';
import type { LedgerStore } from '../../db/ledger/ledger-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { Asset } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { Decimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import type { MissingSource, Snapshot } from '../../domain/history/snapshot.ts';
import { addChanges, type ValueChange } from '../../domain/history/value-changes.ts';
import { type FindAssetDeps, findAsset } from '../find-asset.ts';
import { requireChain } from '../require-known.ts';
import { type AssetRulesDeps, readAssetRules } from './asset-rules.ts';
import { type ExplainedHolding, explainHoldings, placeOf } from './explain-holdings.ts';
import { isWanted, refuse } from './history-query.ts';
import { requirePastWallets } from './require-past-wallets.ts';

export type ChangesQuery = {
  readonly from: Date;
  /** Null: the newest snapshot there is. */
  readonly to: Date | null;
  /** Upper-case code. */
  readonly currency: string;
  readonly walletIds: readonly string[] | null;
  readonly chains: readonly string[] | null;
  /** UUIDs or CAIP-19 ids. */
  readonly assetIds: readonly string[] | null;
  readonly groupBy: 'asset' | 'wallet' | 'none';
};

/** One end of the time, told by the last snapshot at or before it. */
export type ChangesEnd = {
  /** Null where no time was named. */
  readonly asked: Date | null;
  /** Null before the first snapshot: nothing was known yet, and the value is zero. */
  readonly snapshot: Snapshot | null;
  /** Those of the snapshot that the query covers. */
  readonly missing: readonly MissingSource[];
  /** Units of the currency for one dollar; null when unknown. */
  readonly perUsd: Decimal | null;
  /** In the currency; null when its rate is not known. */
  readonly value: Decimal | null;
  /** What charts say of the same snapshot: they leave out what is spam today, whatever was said then. */
  readonly chartValue: Decimal | null;
  /** Amounts above zero without a price or decimals. */
  readonly unpricedCount: number;
};

export type ChangesGroup = ValueChange & {
  /** Of the wallet; null for groups of assets. */
  readonly walletId: string | null;
  /** With what was held of it at both ends; null for groups of wallets. */
  readonly asset: { readonly asset: Asset; readonly startRaw: bigint; readonly endRaw: bigint } | null;
};

export type Changes = {
  readonly currency: string;
  readonly start: ChangesEnd;
  readonly end: ChangesEnd;
  /** Null when a rate of the currency is not known. */
  readonly total: ValueChange | null;
  readonly groups: readonly ChangesGroup[];
};

export type ChangesService = {
  /** Why the value at one moment is not what it was at another. Throws invalid_request, unknown_chain, wallet_not_found, asset_not_found, snapshot_not_found. */
  explain(tenantId: string, query: ChangesQuery): Promise<Changes>;
};

export type ChangesServiceDeps = AssetRulesDeps &
  FindAssetDeps & {
    readonly changes: ChangesStore;
    readonly history: Pick<HistoryStore, 'findSnapshots' | 'findWallets'>;
    readonly ledger: Pick<LedgerStore, 'sumBetween'>;
    readonly wallets: Pick<WalletStore, 'listAll'>;
    readonly assets: AssetRulesDeps['assets'] & FindAssetDeps['assets'];
    readonly chains: readonly Chain[];
  };

/** Before every snapshot. */
const BEGINNING = new Date(0);
/** After every snapshot. */
const FOREVER = new Date('9999-12-31T23:59:59Z');
const ONE = new Decimal(1);

export function createChangesService(deps: ChangesServiceDeps): ChangesService {
  return { explain: (tenantId, query) => explain(deps, tenantId, query) };
}

async function explain(deps: ChangesServiceDeps, tenantId: string, asked: ChangesQuery): Promise<Changes> {
  for (const slug of asked.chains ?? []) requireChain(deps.chains, slug);
  const wallets = await deps.wallets.listAll(tenantId, { walletIds: null });
  const followedSince = new Map(wallets.map(({ id, createdAt }) => [id, createdAt]));
  await requirePastWallets(deps.history, tenantId, { walletIds: asked.walletIds, followed: new Set(followedSince.keys()) });
  const assets = asked.assetIds === null ? null : await Promise.all(asked.assetIds.map((id) => findAsset(deps, id)));
  const query = {
    ...asked,
    assetIds: assets?.map(({ id }) => id) ?? null,
    assetChains: assets?.map(({ chain }) => chain) ?? null,
  };
  const { start, end } = await findEnds(deps, tenantId, query);
  const [before, after, sums, rates] = await Promise.all([
    start === null ? NOTHING : readEnd(deps, tenantId, start),
    readEnd(deps, tenantId, end),
    deps.ledger.sumBetween(tenantId, { ...pickFilter(query), intervals: [{ from: start?.at ?? BEGINNING, to: end.at }] }),
    readRates(deps, query.currency, { start, end }),
  ]);
  const seen = new Set(before.holdings.map(placeOf));
  const unseen = after.holdings.flatMap((holding) => (seen.has(placeOf(holding)) ? [] : [holding.walletId]));
  const [rules, openings] = await Promise.all([
    readAssetRules(deps, tenantId, [...new Set(after.holdings.map(({ assetId }) => assetId))]),
    unseen.length === 0 ? [] : deps.changes.listOpenings(tenantId, [...new Set(unseen)]),
  ]);
  const all = explainHoldings({
    start: { ...before, perUsd: rates.start ?? ONE, at: start?.at ?? null },
    end: { ...after, perUsd: rates.end ?? ONE, at: end.at },
    rules,
    sums,
    followedSince,
    openings,
  });
  return tell(query, { start, end, rates, rows: all.filter((row) => covers(query, row)) });
}

/** What is asked for, with the assets by their UUIDs and the chains that these are on. */
type Scope = ChangesQuery & { readonly assetChains: readonly string[] | null };

type Told = {
  readonly start: Snapshot | null;
  readonly end: Snapshot;
  readonly rates: Rates;
  readonly rows: readonly ExplainedHolding[];
};

function tell(query: Scope, { start, end, rates, rows }: Told): Changes {
  const isKnown = rates.start !== null && rates.end !== null;
  return {
    currency: query.currency,
    start: tellEnd(query, { side: 'start', asked: query.from, snapshot: start, rows, perUsd: rates.start }),
    end: tellEnd(query, { side: 'end', asked: query.to, snapshot: end, rows, perUsd: rates.end }),
    total: isKnown ? addChanges(rows.map(({ change }) => change)) : null,
    groups: isKnown ? toGroups(query, rows) : [],
  };
}

async function findEnds(
  { history }: ChangesServiceDeps,
  tenantId: string,
  { from, to }: ChangesQuery,
): Promise<{ readonly start: Snapshot | null; readonly end: Snapshot }> {
  if (to !== null && from >= to) throw refuse('from', 'The time must begin before it ends.');
  // Databases count less far back than dates do.
  const until = [from, to ?? FOREVER].map((moment) => ({ from: BEGINNING, to: moment < BEGINNING ? BEGINNING : moment }));
  const found = await history.findSnapshots(tenantId, until, 'raw');
  const at = (place: number): Snapshot | null => found.find((snapshot) => snapshot.place === place)?.snapshot ?? null;
  const end = at(1);
  if (end === null) throw new AppError('snapshot_not_found', 'Nothing had been written down yet by the end of this time.');
  return { start: at(0), end };
}

type ReadEnd = {
  readonly holdings: readonly HoldingAt[];
  readonly excluded: ReadonlySet<string>;
  readonly missing: readonly MissingSource[];
};

const NOTHING: ReadEnd = { holdings: [], excluded: new Set(), missing: [] };

async function readEnd({ changes }: ChangesServiceDeps, tenantId: string, { at, missing }: Snapshot): Promise<ReadEnd> {
  const [holdings, excluded] = await Promise.all([changes.readHoldings(tenantId, at), changes.readExcluded(tenantId, at)]);
  return { holdings, excluded, missing };
}

type Rates = { readonly start: Decimal | null; readonly end: Decimal | null };

async function readRates(
  { changes }: ChangesServiceDeps,
  currency: string,
  { start, end }: { readonly start: Snapshot | null; readonly end: Snapshot },
): Promise<Rates> {
  if (currency === 'USD') return { start: ONE, end: ONE };
  const read = async (at: Date): Promise<Decimal | null> => (await changes.findRate(currency, at))?.perUsd ?? null;
  const [first, last] = await Promise.all([start === null ? null : read(start.at), read(end.at)]);
  // Where nothing was known at the start, nothing was worth anything in any currency.
  return { start: start === null ? last : first, end: last };
}

function pickFilter({ walletIds, chains, assetIds }: ChangesQuery): Pick<ChangesQuery, 'walletIds' | 'chains' | 'assetIds'> {
  return { walletIds, chains, assetIds };
}

function covers({ walletIds, chains, assetIds }: ChangesQuery, { walletId, asset }: ExplainedHolding): boolean {
  return isWanted(walletIds, walletId) && isWanted(chains, asset.chain) && isWanted(assetIds, asset.id);
}

type Telling = {
  readonly side: 'start' | 'end';
  readonly asked: Date | null;
  readonly snapshot: Snapshot | null;
  readonly rows: readonly ExplainedHolding[];
  readonly perUsd: Decimal | null;
};

function tellEnd({ walletIds, chains, assetChains }: Scope, { side, asked, snapshot, rows, perUsd }: Telling): ChangesEnd {
  const value = addUp(rows.map(({ change }) => change[side]));
  const chartValue = addUp(rows.map((row) => row[side].chartValue));
  return {
    asked,
    snapshot,
    missing: (snapshot?.missing ?? []).filter(
      ({ walletId, chain }) => isWanted(walletIds, walletId) && isWanted(chains, chain) && isWanted(assetChains, chain),
    ),
    perUsd,
    value: perUsd === null ? null : value,
    chartValue: perUsd === null ? null : chartValue,
    unpricedCount: rows.filter((row) => row[side].isUnpriced).length,
  };
}

function addUp(values: readonly Decimal[]): Decimal {
  return values.reduce((sum, value) => sum.plus(value), new Decimal(0));
}

function toGroups({ groupBy }: ChangesQuery, rows: readonly ExplainedHolding[]): readonly ChangesGroup[] {
  if (groupBy === 'none') return [];
  const groups = Map.groupBy(rows, ({ walletId, asset }) => (groupBy === 'asset' ? asset.id : walletId));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const change = addChanges(group.map((row) => row.change));
    const whose =
      groupBy === 'asset' ? { walletId: null, asset: sumAsset(first.asset, group) } : { walletId: first.walletId, asset: null };
    return [{ ...change, ...whose }];
  });
}

function sumAsset(asset: Asset, group: readonly ExplainedHolding[]): ChangesGroup['asset'] {
  const sum = (side: 'start' | 'end'): bigint => group.reduce((total, row) => total + row[side].amountRaw, 0n);
  return { asset, startRaw: sum('start'), endRaw: sum('end') };
}
