import type { AssetSettings } from './asset.ts';
import { Decimal } from './decimal.ts';
import type { ValuedHolding } from './portfolio.ts';
import type { Price } from './price.ts';

/**
 * Holds back every unlisted asset that alone claims to be worth more than all the rest that can be trusted: listed assets and those
 * whose price the owner set or accepted. Airdropped tokens with an invented price look like this. Other unlisted assets do not count
 * as rest, so that two of them cannot vouch for each other.
 */
export function quarantineDominating(
  holdings: readonly ValuedHolding[],
  settingsOf: (assetId: string) => AssetSettings,
): readonly ValuedHolding[] {
  let trusted = new Decimal(0);
  const untrusted = new Map<string, Decimal>();
  for (const valued of holdings) {
    if (valued.spam.isSpam || valued.usdValue === null) continue;
    const { asset } = valued.holding;
    if (isTrusted(valued, settingsOf(asset.id))) trusted = trusted.plus(valued.usdValue);
    else untrusted.set(asset.id, (untrusted.get(asset.id) ?? new Decimal(0)).plus(valued.usdValue));
  }
  const heldBack = new Set([...untrusted].filter(([, value]) => value.gt(trusted)).map(([assetId]) => assetId));
  if (heldBack.size === 0) return holdings;
  return holdings.map((valued) => (heldBack.has(valued.holding.asset.id) ? withoutValue(valued) : valued));
}

function isTrusted(valued: ValuedHolding, settings: AssetSettings): boolean {
  return valued.holding.asset.listed || valued.price.status === 'manual' || settings.acceptedPrice !== null;
}

/** The price of an asset that is held back for claiming to be worth more than all the rest. */
export function holdBack(price: Price): Price {
  return { ...price, status: 'quarantined', reason: 'unlisted_dominates' };
}

/** The same holding with its price held back: shown, but without a value that anybody could sum. */
function withoutValue(valued: ValuedHolding): ValuedHolding {
  return { ...valued, price: holdBack(valued.price), usdValue: null, value: null, valueReason: 'price_quarantined' };
}
