import type { AssetStore } from '../../db/asset-store.ts';
import { unitOf } from '../../domain/amount.ts';
import { type Asset, type AssetSettings, isTakenAway } from '../../domain/asset.ts';
import { Decimal } from '../../domain/decimal.ts';
import { type AssetContextDeps, readAssetFacts, toAssetContexts } from '../asset-context.ts';
import type { PortfolioService } from '../portfolio-service.ts';

/** How an asset's past is valued: by what is known and said of it today. */
export type RuledAsset = {
  readonly asset: Asset;
  /** One smallest unit in whole ones; null when its decimals are not known, so that it has no value. */
  readonly unit: Decimal | null;
  /** The owner's own price, which takes the place of every other. */
  readonly manualPrice: { readonly value: Decimal; readonly setAt: Date } | null;
  /** Whether it counts as spam, is held back or was taken away, and so is part of no total. */
  readonly isExcluded: boolean;
};

export type AssetRulesDeps = AssetContextDeps & {
  readonly assets: Pick<AssetStore, 'getSettings' | 'getMany' | 'listLeftOut'>;
  readonly portfolio: Pick<PortfolioService, 'findHeldBack'>;
  readonly now: () => Date;
};

/** The word of today on each of the assets, by their ids. */
export async function readAssetRules(
  deps: AssetRulesDeps,
  tenantId: string,
  assetIds: readonly string[],
): Promise<ReadonlyMap<string, RuledAsset>> {
  const [assets, heldBack, leftOut] = await Promise.all([
    deps.assets.getMany(assetIds),
    deps.portfolio.findHeldBack(tenantId),
    deps.assets.listLeftOut(tenantId),
  ]);
  const contexts = toAssetContexts(assets, await readAssetFacts(deps, tenantId, assets), deps.now());
  return new Map(
    assets.flatMap((asset) => {
      const context = contexts.get(asset.id);
      if (context === undefined) return [];
      const { manualPrice: manual } = context.settings;
      return [
        [
          asset.id,
          {
            asset,
            unit: asset.decimals === null ? null : new Decimal(unitOf(asset.decimals)),
            manualPrice: manual === null ? null : { value: new Decimal(manual.value), setAt: manual.setAt },
            isExcluded:
              context.spam.isSpam ||
              heldBack.has(asset.id) ||
              isTakenAway(asset, context.settings) ||
              (leftOut.has(asset.id) && !hasOwnersWord(context.settings)),
          },
        ] as const,
      ];
    }),
  );
}

/** What was left out when it was last held stays so, unless the owner has said otherwise since. */
function hasOwnersWord({ spam, manualPrice, acceptedPrice }: AssetSettings): boolean {
  return spam === 'not_spam' || manualPrice !== null || acceptedPrice !== null;
}
