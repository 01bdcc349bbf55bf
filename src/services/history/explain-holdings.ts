import type { HoldingAt, WalletAsset } from '../../db/history/changes-store.ts';
import type { LedgerSum } from '../../db/ledger/ledger-store.ts';
import type { Asset } from '../../domain/asset.ts';
import type { Decimal } from '../../domain/decimal.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import {
  type ChangeEnd,
  type ChangePart,
  judgeEnds,
  partOfEntry,
  partOfUnexplained,
  splitChange,
  type ValueChange,
  worthOf,
} from '../../domain/history/value-changes.ts';
import type { RuledAsset } from './asset-rules.ts';

/** An asset of one wallet, free and staked together, at both ends. */
export type ExplainedHolding = {
  readonly walletId: string;
  readonly asset: Asset;
  readonly start: ExplainedEnd;
  readonly end: ExplainedEnd;
  readonly change: ValueChange;
};

type ExplainedEnd = {
  readonly amountRaw: bigint;
  /** By the word of today on what counts. */
  readonly chartValue: Decimal;
  /** Above zero and counted, without a price or decimals. */
  readonly isUnpriced: boolean;
};

/** What was stored of one end. */
type StoredEnd = {
  readonly holdings: readonly HoldingAt[];
  readonly excluded: ReadonlySet<string>;
  readonly missing: readonly MissingSource[];
  readonly perUsd: Decimal;
  /** Null before the first snapshot. */
  readonly at: Date | null;
};

type Explaining = {
  readonly start: StoredEnd;
  readonly end: StoredEnd;
  /** The word of today on each asset. */
  readonly rules: ReadonlyMap<string, RuledAsset>;
  /** What the ledger says of the time between. */
  readonly sums: readonly LedgerSum[];
  /** The wallets that are followed now, and since when. */
  readonly followedSince: ReadonlyMap<string, Date>;
  /** What was there when a wallet was first read on a chain, of all that may matter. */
  readonly openings: readonly WalletAsset[];
};

/** Why each holding is worth something else at the end. What counts at neither end, or was not there, is left out. */
export function explainHoldings({ start, end, rules, sums, followedSince, openings }: Explaining): readonly ExplainedHolding[] {
  const before = Map.groupBy(start.holdings, keyOf);
  const entries = Map.groupBy(sums, keyOf);
  const judge = createJudge({ start, end });
  const wasRead = createReadBefore(start, followedSince);
  const opened = new Set(openings.map(keyOf));
  const away = new Set(start.missing.filter(({ observedAt }) => observedAt !== null).map(sourceKey));
  return [...Map.groupBy(end.holdings, keyOf)].flatMap(([key, after]) => {
    const [first] = after;
    const rule = rules.get(first?.assetId ?? '');
    if (first === undefined || rule === undefined) return [];
    const counted = judge(rule);
    const said = entries.get(key) ?? [];
    const ends = {
      start: toEnd(before.get(key) ?? [], { rule, perUsd: start.perUsd, isCounted: counted.start }),
      end: toEnd(after, { rule, perUsd: end.perUsd, isCounted: counted.end }),
    };
    const wasThere = ends.start.amountRaw > 0n || ends.end.amountRaw > 0n || said.length > 0;
    if (!wasThere || !(counted.start || counted.end)) return [];
    const isOpening = !wasRead(first) && opened.has(key);
    const rest = partOfUnexplained({
      isGone: after.every(({ amountRaw, block }) => amountRaw === 0n && block === null),
      isFollowed: followedSince.has(first.walletId),
      wasAway: findMoved(before.get(key) ?? [], after).some((holding) => away.has(sourceKey(toSource(holding)))),
      isNew: !before.has(key) && !isOpening,
    });
    const moves = said.flatMap((sum) => toMoves(sum, isOpening));
    const change = splitChange({ unit: rule.unit, ...ends, moves, rest });
    const tell = (side: 'start' | 'end'): ExplainedEnd => tellEnd(ends[side], { rule, value: change[side] });
    return [{ walletId: first.walletId, asset: rule.asset, start: tell('start'), end: tell('end'), change }];
  });
}

function keyOf({ walletId, assetId }: WalletAsset): string {
  return `${walletId}/${assetId}`;
}

/** Names a wallet on a chain. */
export function placeOf({ walletId, chain }: Pick<MissingSource, 'walletId' | 'chain'>): string {
  return `${walletId}/${chain}`;
}

function sourceKey({ walletId, chain, kind }: Pick<MissingSource, 'walletId' | 'chain' | 'kind'>): string {
  return `${walletId}/${chain}/${kind}`;
}

function toSource({ walletId, chain, position }: HoldingAt): Pick<MissingSource, 'walletId' | 'chain' | 'kind'> {
  return { walletId, chain, kind: position === 'stake' ? 'stake' : 'balances' };
}

/** Goes by all wallets that hold an asset, whatever was asked for: it is reclassified for all of them at once. */
function createJudge({ start, end }: Pick<Explaining, 'start' | 'end'>): (rule: RuledAsset) => ReturnType<typeof judgeEnds> {
  const heldAt = ({ holdings }: StoredEnd): ReadonlySet<string> =>
    new Set(holdings.flatMap(({ assetId, amountRaw }) => (amountRaw > 0n ? [assetId] : [])));
  const held = { start: heldAt(start), end: heldAt(end) };
  return ({ asset, isExcluded }) =>
    judgeEnds({
      start: { isHeld: held.start.has(asset.id), isExcluded: start.excluded.has(asset.id) },
      end: { isHeld: held.end.has(asset.id), isExcluded: end.excluded.has(asset.id) },
      isExcludedNow: isExcluded,
    });
}

function toEnd(
  holdings: readonly HoldingAt[],
  { rule, perUsd, isCounted }: { readonly rule: RuledAsset; readonly perUsd: Decimal; readonly isCounted: boolean },
): ChangeEnd {
  const amountRaw = holdings.reduce((sum, holding) => sum + holding.amountRaw, 0n);
  return { amountRaw, price: rule.manualPrice?.value ?? holdings[0]?.price?.value ?? null, perUsd, isCounted };
}

function findMoved(before: readonly HoldingAt[], after: readonly HoldingAt[]): readonly HoldingAt[] {
  const amounts = new Map(before.map(({ position, amountRaw }) => [position, amountRaw]));
  return after.filter(({ position, amountRaw }) => amountRaw !== (amounts.get(position) ?? 0n));
}

function tellEnd(end: ChangeEnd, { rule, value }: { readonly rule: RuledAsset; readonly value: Decimal }): ExplainedEnd {
  const { unit, isExcluded } = rule;
  return {
    amountRaw: end.amountRaw,
    chartValue: end.isCounted === isExcluded ? worthOf({ ...end, isCounted: !isExcluded }, unit) : value,
    isUnpriced: end.isCounted && end.amountRaw > 0n && (end.price === null || unit === null),
  };
}

/** What the ledger does not explain is what is left when all else is taken away. */
function toMoves(
  { type, amountRaw }: LedgerSum,
  isOpening: boolean,
): readonly { readonly part: ChangePart; readonly amountRaw: bigint }[] {
  if (type === 'unexplained') return [];
  if (type === 'opening') return isOpening ? [{ part: 'wallet_added', amountRaw }] : [];
  return [{ part: partOfEntry(type), amountRaw }];
}

/** Whether a wallet's chain had been read by the start: something had been seen there, or the wallet was followed and nothing said that it had never been read. */
function createReadBefore(
  { at, holdings, missing }: StoredEnd,
  followedSince: Explaining['followedSince'],
): (holding: HoldingAt) => boolean {
  const seen = new Set(holdings.map(placeOf));
  const never = new Set(missing.flatMap((source) => (source.observedAt === null ? [placeOf(source)] : [])));
  const known = new Set(holdings.map(({ walletId }) => walletId));
  return (holding) => {
    const { walletId } = holding;
    const since = followedSince.get(walletId);
    const wasFollowed = known.has(walletId) || (at !== null && since !== undefined && since <= at);
    return seen.has(placeOf(holding)) || (wasFollowed && !never.has(placeOf(holding)));
  };
}
