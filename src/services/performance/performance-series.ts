import type { HistoryStore } from '../../db/history/history-store.ts';
import type { HoldingAt, Moment, PerformanceStore } from '../../db/history/performance-store.ts';
import type { LedgerStore, LedgerSum } from '../../db/ledger/ledger-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { RuledAsset } from '../history/asset-rules.ts';

/** What is held of an asset, and its price in US dollars; null: it has none, or its decimals are not known. */
type Position = { readonly quantity: Decimal; readonly price: Decimal | null };

/** A moment at which everything is valued. */
export type SeriesPoint = {
  readonly moment: Moment;
  /** Units of the currency for a dollar. */
  readonly rate: Decimal;
  /** By asset id; nothing at zero. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Of all that has a price, in the currency. */
  readonly value: Decimal;
};

/** What moved of an asset on the way to a point. `walletId` null: the ledger names none. */
export type Movement = {
  readonly assetId: string;
  readonly walletId: string | null;
  readonly type: LedgerSum['type'];
  /** In whole tokens; below zero for what went out. */
  readonly quantity: Decimal;
  /** In US dollars, at the point. */
  readonly price: Decimal | null;
  /** Whether it came from outside, or left. */
  readonly isExternal: boolean;
};

/** What happened on the way to a point. */
export type SeriesStep = {
  readonly movements: readonly Movement[];
  /** What came in (above zero) or left from outside, in the currency, valued at the point. */
  readonly external: Decimal;
  /** What came to have a price, or lost it: no gain, and so counted like a flow. */
  readonly revalued: Decimal;
};

/** `steps[i]` leads to `points[i]`, the first one from nothing. */
export type Series = { readonly points: readonly SeriesPoint[]; readonly steps: readonly SeriesStep[] };

export type SeriesDeps = {
  readonly history: Pick<HistoryStore, 'readRates'>;
  readonly performance: Pick<PerformanceStore, 'readHoldings'>;
  readonly ledger: Pick<LedgerStore, 'sumBetween'>;
};

export type SeriesQuery = {
  readonly moments: readonly Moment[];
  /** When an entry of the ledger can count, in order. */
  readonly ledgerMoments: readonly Date[];
  readonly rules: ReadonlyMap<string, RuledAsset>;
  /** What counts as spam or is held back: worth nothing here, but something may have been exchanged for it. */
  readonly excludedIds: readonly string[];
  /** Upper-case code. */
  readonly currency: string;
  readonly chains: readonly string[] | null;
};

/**
 * Values each moment that has a currency rate, and tells what moved between them. What came or went counts at the moment that first shows it, at the prices of that moment.
 */
export async function readSeries(deps: SeriesDeps, tenantId: string, query: SeriesQuery): Promise<Series> {
  const { rules, currency } = query;
  const rates = await readRates(deps.history, currency, query.moments);
  const moments = query.moments.filter((_, place) => rates.has(place));
  const known = [...rates].toSorted(([a], [b]) => a - b).map(([, rate]) => rate);
  const assetIds = [...rules.keys()];
  const [holdings, sums] = await Promise.all([
    deps.performance.readHoldings(tenantId, { moments, assetIds }),
    readSums(deps.ledger, tenantId, { ...query, moments }),
  ]);
  const [rowsAt, sumsAt] = [Map.groupBy(holdings, ({ place }) => place), Map.groupBy(sums, ({ place }) => place)];
  const states = moments.map((_, place) => toPositions(rowsAt.get(place) ?? [], rules));
  const points = moments.map((moment, place): SeriesPoint => {
    const rate = known[place] ?? new Decimal(0);
    const positions = states[place] ?? new Map<string, Position>();
    return { moment, rate, positions: new Map([...positions].filter(isHeld)), value: worthOf(positions).times(rate) };
  });
  const steps = points.map(({ rate }, place) =>
    toStep({ before: states[place - 1] ?? NOTHING, after: states[place] ?? NOTHING, sums: sumsAt.get(place) ?? [], rules, rate }),
  );
  return { points, steps };
}

const BEFORE_ALL = new Date(0);

/** What the ledger says of the way to each moment. Only those ways are looked at on which it can say anything: where much moves, asking for all of them takes very long. */
async function readSums(
  ledger: SeriesDeps['ledger'],
  tenantId: string,
  { moments, ledgerMoments: told, rules, excludedIds, chains }: SeriesQuery,
): Promise<readonly LedgerSum[]> {
  let next = 0;
  const wanted = moments.flatMap(({ at }, place) => {
    const first = next;
    while ((told[next] ?? AFTER_ALL) <= at) next += 1;
    return next === first ? [] : [{ place, interval: { from: moments[place - 1]?.at ?? BEFORE_ALL, to: at } }];
  });
  const intervals = wanted.map(({ interval }) => interval);
  const filter = { walletIds: null, chains, assetIds: [...rules.keys(), ...excludedIds] };
  const sums = intervals.length === 0 ? [] : await ledger.sumBetween(tenantId, { ...filter, intervals });
  return sums.map((sum) => ({ ...sum, place: wanted[sum.place]?.place ?? sum.place }));
}

/** The last moment that a Date can tell. */
const AFTER_ALL = new Date(8.64e15);
const NOTHING: ReadonlyMap<string, Position> = new Map();

function isHeld([, { quantity }]: readonly [string, Position]): boolean {
  return quantity.gt(0);
}

/** By place; one for every place of the dollar. */
async function readRates(
  history: SeriesDeps['history'],
  currency: string,
  moments: readonly Moment[],
): Promise<ReadonlyMap<number, Decimal>> {
  if (currency === 'USD') return new Map(moments.map((_, place) => [place, new Decimal(1)]));
  return history.readRates(
    currency,
    moments.map(({ at }) => at),
  );
}

function toPositions(rows: readonly HoldingAt[], rules: ReadonlyMap<string, RuledAsset>): ReadonlyMap<string, Position> {
  return new Map(
    rows.flatMap(({ assetId, amountRaw, price }) => {
      const rule = rules.get(assetId);
      if (rule === undefined) return [];
      const known = rule.unit === null ? null : (rule.manualPrice?.value ?? price);
      return [[assetId, { quantity: amountRaw.times(rule.unit ?? 1), price: known }] as const];
    }),
  );
}

function worthOf(positions: ReadonlyMap<string, Position>): Decimal {
  return [...positions.values()].reduce((total, { quantity, price }) => total.plus(price?.times(quantity) ?? 0), new Decimal(0));
}

type StepInput = {
  readonly before: ReadonlyMap<string, Position>;
  readonly after: ReadonlyMap<string, Position>;
  readonly sums: readonly LedgerSum[];
  readonly rules: ReadonlyMap<string, RuledAsset>;
  readonly rate: Decimal;
};

function toStep({ before, after, sums, rules, rate }: StepInput): SeriesStep {
  const sumsOf = Map.groupBy(sums, ({ assetId }) => assetId);
  const trading = findWholeTrades(sums, (assetId) => rules.has(assetId) && after.get(assetId)?.price != null);
  const assetIds = [...new Set([...before.keys(), ...after.keys(), ...sumsOf.keys()])].filter((id) => rules.has(id));
  let [external, revalued] = [new Decimal(0), new Decimal(0)];
  const movements = assetIds.flatMap((assetId) => {
    const [old, now] = [before.get(assetId), after.get(assetId)];
    const change = (now?.quantity ?? ZERO).minus(old?.quantity ?? ZERO);
    const unit = rules.get(assetId)?.unit ?? new Decimal(1);
    const price = now?.price ?? null;
    const moved = toMovements({ assetId, price, change, sums: sumsOf.get(assetId) ?? [], unit, trading });
    revalued = revalued.plus(revaluation(old, price));
    if (price !== null) external = external.plus(crossing(moved).times(price));
    return moved;
  });
  return { movements, external: external.times(rate), revalued: revalued.times(rate) };
}

const ZERO = new Decimal(0);

type MovementsInput = Pick<Movement, 'assetId' | 'price'> & {
  readonly sums: readonly LedgerSum[];
  readonly change: Decimal;
  readonly unit: Decimal;
  readonly trading: ReadonlySet<string>;
};

/** What the sums leave of the change is unexplained, so that the parts are always the whole. */
function toMovements({ sums, change, unit, trading, ...asset }: MovementsInput): readonly Movement[] {
  const told = sums.map(
    ({ walletId, type, amountRaw }): Movement => ({
      ...{ ...asset, walletId, type, quantity: unit.times(amountRaw.toString()) },
      isExternal: type === 'trade' ? !trading.has(walletId) : !INSIDE.includes(type),
    }),
  );
  const rest = told.reduce((left, { quantity }) => left.minus(quantity), change);
  return rest.isZero() ? told : [...told, { ...asset, walletId: null, type: 'unexplained', quantity: rest, isExternal: true }];
}

/** What a portfolio spends or earns by itself. What goes from wallet to wallet nets to zero, but for what is on its way. */
const INSIDE: readonly Movement['type'][] = ['fee', 'income'];

/**
 * The wallets whose exchanges are told with both sides, each with a price. Where one has no price, counts as spam or is not shown yet, what was given for it would look lost, and so what that wallet exchanged crosses the
 * border.
 */
function findWholeTrades(sums: readonly LedgerSum[], hasPrice: (assetId: string) => boolean): ReadonlySet<string> {
  const legs = Map.groupBy(
    sums.filter(({ type }) => type === 'trade'),
    ({ walletId }) => walletId,
  );
  const whole = [...legs].filter(
    ([, own]) =>
      own.every(({ assetId }) => hasPrice(assetId)) &&
      own.some(({ amountRaw }) => amountRaw > 0n) &&
      own.some(({ amountRaw }) => amountRaw < 0n),
  );
  return new Set(whole.map(([walletId]) => walletId));
}

function crossing(movements: readonly Movement[]): Decimal {
  return movements.reduce((total, { isExternal, quantity }) => (isExternal ? total.plus(quantity) : total), ZERO);
}

function revaluation(old: Position | undefined, price: Decimal | null): Decimal {
  if (old === undefined || (old.price === null) === (price === null)) return ZERO;
  return price === null ? (old.price?.times(old.quantity).negated() ?? ZERO) : price.times(old.quantity);
}
