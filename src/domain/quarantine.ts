import type { AssetSettings } from './asset.ts';
import { Decimal } from './decimal.ts';
import type { ValuedHolding } from './portfolio.ts';
import { quarantineHolding } from './valuation.ts';

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
  return holdings.map((valued) => (heldBack.has(valued.holding.asset.id) ? quarantineHolding(valued) : valued));
}

function isTrusted(valued: ValuedHolding, settings: AssetSettings): boolean {
  return valued.holding.asset.listed || valued.price.status === 'manual' || settings.acceptedPrice !== null;
}
