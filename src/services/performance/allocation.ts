import type { HistoryStore } from '../../db/history/history-store.ts';
import type { Asset } from '../../domain/asset.ts';
import { Decimal } from '../../domain/decimal.ts';
import { concentration } from '../../domain/performance/concentration.ts';
import type { RuledAsset } from '../history/asset-rules.ts';
import type { Allocation, Share } from './performance.ts';
import type { SeriesPoint } from './performance-series.ts';

/** What lies in which asset, on which chain and in which wallet at a point, the largest first. What has no price is in none. */
export async function readAllocation(
  history: Pick<HistoryStore, 'readPoints'>,
  tenantId: string,
  { point, rules }: { readonly point: SeriesPoint | undefined; readonly rules: ReadonlyMap<string, RuledAsset> },
): Promise<Allocation> {
  if (point === undefined) return { byAsset: [], byChain: [], byWallet: [], concentration: null };
  const held = [...point.positions].flatMap(([assetId, { quantity, price }]): { asset: Asset; value: Decimal }[] => {
    const asset = rules.get(assetId)?.asset;
    return asset === undefined || price === null ? [] : [{ asset, value: quantity.times(price).times(point.rate) }];
  });
  const chains = Map.groupBy(held, ({ asset }) => asset.chain);
  const wallets = await history.readPoints(tenantId, {
    snapshots: [{ place: 0, snapshot: point.moment }],
    rules: [...rules].map(([assetId, { unit, manualPrice }]) => ({
      assetId,
      unit: unit?.toFixed() ?? null,
      manualPrice: manualPrice?.value.toFixed() ?? null,
    })),
    walletIds: null,
    groupBy: 'wallet',
  });
  return {
    byAsset: toShares(held.map(({ asset, value }) => ({ key: asset, value }))),
    byChain: toShares([...chains].map(([key, parts]) => ({ key, value: sum(parts) }))),
    byWallet: toShares(
      wallets.flatMap(({ key, usdValue }) => (key === null ? [] : [{ key, value: usdValue.times(point.rate) }])),
    ),
    concentration: concentration(held.map(({ value }) => value)),
  };
}

function sum(parts: readonly { readonly value: Decimal }[]): Decimal {
  return parts.reduce((total, { value }) => total.plus(value), new Decimal(0));
}

function toShares<Key>(parts: readonly { readonly key: Key; readonly value: Decimal }[]): readonly Share<Key>[] {
  const total = sum(parts);
  return parts
    .filter(({ value }) => value.gt(0))
    .map(({ key, value }) => ({ key, value, share: value.div(total) }))
    .toSorted((a, b) => b.value.comparedTo(a.value) ?? 0);
}
