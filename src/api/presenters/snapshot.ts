import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { MissingSourceWire } from '../schemas/snapshots.ts';
import { presentMoment } from './figures.ts';

/** A source that a snapshot could not rely on. */
export function presentMissing({ walletId, chain, kind, reason, observedAt, code }: MissingSource): MissingSourceWire {
  return { wallet_id: walletId, chain, kind, reason, observed_at: presentMoment(observedAt), code };
}
