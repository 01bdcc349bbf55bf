import type { PricedEntry } from '../../db/history/performance-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { RuledAsset } from '../history/asset-rules.ts';
import type { Movement, Series } from './performance-series.ts';

/** A movement, or a part of one, at what was paid for a whole token: the owner's own word, else the price at the snapshot that first shows it. */
export type PricedMovement = Pick<Movement, 'assetId' | 'type' | 'quantity'> & {
  readonly at: Date;
  readonly usdPrice: Decimal | null;
  /** In the currency asked for. */
  readonly price: Decimal | null;
};

export type OwnPrices = {
  /** Oldest first. */
  readonly entries: readonly PricedEntry[];
  /** Units of each currency of theirs for a dollar, by the place of the point. */
  readonly rates: ReadonlyMap<string, ReadonlyMap<number, Decimal>>;
  readonly rules: ReadonlyMap<string, RuledAsset>;
  readonly currency: string;
};

/** A movement as far as no entry has priced it yet. */
type Open = { readonly movement: Movement; readonly place: number; left: Decimal };

/** What goes between own wallets is bought from nobody, and a fee has no price of the owner's. */
const UNPRICED: readonly Movement['type'][] = ['internal', 'fee'];

/** All movements that change what is owned, in the order of time, at each moment what came in first. */
export function priceMovements({ points, steps }: Series, own: OwnPrices): readonly PricedMovement[] {
  const open = steps.flatMap(({ movements }, place) =>
    movements.filter(({ type }) => type !== 'internal').map((movement): Open => ({ movement, place, left: movement.quantity })),
  );
  const momentOf = (place: number): Date => points[place]?.moment.at ?? new Date(0);
  const waiting = Map.groupBy(
    open.filter(({ movement }) => !UNPRICED.includes(movement.type)),
    ({ movement }) => keyOf(movement, movement.quantity),
  );
  const told = own.entries.flatMap((entry): (PricedMovement & { readonly place: number })[] => {
    let left = entry.amountRaw.times(own.rules.get(entry.assetId)?.unit ?? 0);
    const alike = waiting.get(keyOf(entry, left)) ?? [];
    // It counts at one moment: what is left of it there says nothing of what moved later.
    const shownAt = alike.find(({ place }) => momentOf(place) >= entry.occurredAt)?.place;
    return alike.flatMap((one) => {
      if (left.isZero() || one.left.isZero() || one.place !== shownAt) return [];
      const quantity = left.abs().lt(one.left.abs()) ? left : one.left;
      left = left.minus(quantity);
      one.left = one.left.minus(quantity);
      const { assetId, type } = one.movement;
      const rate = points[one.place]?.rate ?? new Decimal(1);
      return [{ assetId, type, quantity, at: momentOf(one.place), place: one.place, ...convert(entry, own, one.place, rate) }];
    });
  });
  const rest = open
    .filter(({ left }) => !left.isZero())
    .map(({ movement: { assetId, type, price }, place, left: quantity }) => ({
      ...{ assetId, type, quantity, at: momentOf(place), place, usdPrice: price },
      price: price?.times(points[place]?.rate ?? 1) ?? null,
    }));
  return [...told, ...rest].toSorted((a, b) => a.place - b.place || Number(b.quantity.gt(0)) - Number(a.quantity.gt(0)));
}

function keyOf({ walletId, assetId }: { walletId: string | null; assetId: string }, quantity: Decimal): string {
  return `${walletId}/${assetId}/${quantity.gt(0)}`;
}

/** Null where the entry's currency has no rate then. */
function convert(
  { price, currency }: PricedEntry,
  { rates, currency: wanted }: OwnPrices,
  place: number,
  rate: Decimal,
): Pick<PricedMovement, 'usdPrice' | 'price'> {
  const perUsd = currency === wanted ? rate : currency === 'USD' ? new Decimal(1) : rates.get(currency)?.get(place);
  const usdPrice = perUsd === undefined ? null : price.div(perUsd);
  return { usdPrice, price: currency === wanted ? price : (usdPrice?.times(rate) ?? null) };
}
