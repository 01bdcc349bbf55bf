import { sql, type Transaction } from 'kysely';
import { caip19 } from '../../domain/asset.ts';
import { chains } from '../../domain/chains.ts';
import type { EventData, NewEvent } from '../../domain/events/event.ts';
import type { Position } from '../../domain/holding.ts';
import type { SavedReading } from '../save-sources.ts';
import type { Schema } from '../schema.ts';
import { selectAssets } from '../select-assets.ts';

/** An amount that a read has changed; `before` null: it was not known to be held. */
export type BalanceChange = {
  readonly walletId: string;
  readonly chain: string;
  readonly assetId: string;
  readonly position: Position;
  readonly before: string | null;
  readonly after: string;
};

type Told = Awaited<ReturnType<typeof describeAssets>>;

/** Of one wallet on one chain; its portfolio tells the rest. */
const MAX_CHANGES = 50;

/** Runs a statement that writes balances, and gives back what it changed. */
export async function runAndCompare(trx: Transaction<Schema>, write: ReturnType<typeof sql>): Promise<readonly BalanceChange[]> {
  const { rows } = await sql<BalanceChange>`
    with written as (
      ${write} returning new.wallet_id, new.chain, new.asset_id, new.position, old.amount_raw as before, new.amount_raw as after
    )
    select wallet_id as "walletId", chain, asset_id as "assetId", position, before, after from written
    where after is not null and coalesce(before, 0) <> after`.execute(trx);
  return rows;
}

/** One event for each wallet and chain of which anything has changed. Of a source that was read for the first time it tells how much there is, and no more. */
export async function toBalanceEvents(
  trx: Transaction<Schema>,
  readings: readonly SavedReading[],
  changes: readonly BalanceChange[],
): Promise<readonly NewEvent[]> {
  if (changes.length === 0) return [];
  const isFirst = new Set(readings.filter((reading) => reading.isFirst).map((reading) => `${placeOf(reading)}/${reading.kind}`));
  const byPlace = Map.groupBy(changes, placeOf);
  const readingOf = new Map(readings.map((reading) => [placeOf(reading), reading]));
  const later = changes.filter((change) => !isFirst.has(`${placeOf(change)}/${kindOf(change)}`));
  const assets = await describeAssets(trx, later);
  const laterByPlace = Map.groupBy(later, placeOf);
  return [...byPlace].flatMap(([place, all]): readonly NewEvent[] => {
    const reading = readingOf.get(place);
    if (reading === undefined) return [];
    const known = laterByPlace.get(place) ?? [];
    return [{ type: 'wallet.balance_changed', data: toData(reading, { all, known, assets }) }];
  });
}

function toData(
  { walletId, chain, observedAt, block }: SavedReading,
  { all, known, assets }: { all: readonly BalanceChange[]; known: readonly BalanceChange[]; assets: Told },
): EventData {
  return {
    wallet_id: walletId,
    chain,
    observed_at: observedAt.toISOString(),
    block_number: block.number.toString(),
    first_seen_count: all.length - known.length,
    change_count: known.length,
    changes: known.slice(0, MAX_CHANGES).map(({ assetId, position, before, after }) => ({
      ...assets.get(assetId),
      position,
      before_raw: before,
      after_raw: after,
    })),
  };
}

async function describeAssets(
  trx: Transaction<Schema>,
  changes: readonly BalanceChange[],
): Promise<ReadonlyMap<string, EventData>> {
  if (changes.length === 0) return new Map();
  const ids = [...new Set(changes.map(({ assetId }) => assetId))];
  const assets = await selectAssets(trx).where(sql<boolean>`id = any(${ids}::uuid[])`).execute();
  return new Map(
    assets.map(({ id, chain: slug, address, symbol, decimals }) => {
      const chain = chains.find((one) => one.slug === slug);
      const assetId = chain === undefined ? null : caip19(chain, address);
      return [id, { asset_uuid: id, asset_id: assetId, token_address: address, token_symbol: symbol, decimals }];
    }),
  );
}

function placeOf({ walletId, chain }: { readonly walletId: string; readonly chain: string }): string {
  return `${walletId}/${chain}`;
}

function kindOf({ position }: BalanceChange): SavedReading['kind'] {
  return position === 'stake' ? 'stake' : 'balances';
}
