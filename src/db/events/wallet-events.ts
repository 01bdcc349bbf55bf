import type { NewEvent } from '../../domain/events/event.ts';
import type { Wallet } from '../../domain/wallet.ts';

type Added = { readonly wallet: Wallet; readonly created: boolean };

/** Tells of those that were not followed before. */
export function toAddedEvents(added: Iterable<Added>): readonly NewEvent[] {
  return [...added]
    .filter(({ created }) => created)
    .map(({ wallet: { id, family, address, name, label, chains } }) => ({
      type: 'wallet.added',
      data: { wallet_id: id, family, address, name, label, chains },
    }));
}
