import type { Movement, TransactionPlace } from './transaction-service.ts';

/** Where a movement stands in the list. What is derived comes before the entries of its moment: its id is above all of theirs. */
export function placeOf({ id, occurredAt, walletId, assetId, type }: Omit<Movement, 'chain'>): TransactionPlace {
  return { at: occurredAt, id: id ?? `~${walletId}/${assetId}/${type}` };
}

/** Whether a place comes after another one, in the order from new to old. */
export function isAfter(place: TransactionPlace, other: TransactionPlace): boolean {
  const difference = place.at.getTime() - other.at.getTime();
  return difference === 0 ? place.id < other.id : difference < 0;
}
