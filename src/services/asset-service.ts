import type { BalanceSource } from '../adapters/balance-source.ts';
import type { AssetPage, AssetStore } from '../db/asset-store.ts';
import type { Asset, AssetSettings } from '../domain/asset.ts';
import { formatDecimal, parseDecimal } from '../domain/decimal.ts';
import { AppError } from '../domain/errors.ts';
import type { Price } from '../domain/price.ts';
import { holdBack } from '../domain/quarantine.ts';
import type { SpamVerdict } from '../domain/spam.ts';
import type { IfVersion } from '../domain/version.ts';
import { readAssetFacts, toAssetContexts } from './asset-context.ts';
import { type FindAssetDeps, findAsset } from './find-asset.ts';
import type { PortfolioService } from './portfolio-service.ts';
import type { PriceService } from './price-service.ts';
import { requireChain } from './require-known.ts';

export type AssetView = {
  readonly asset: Asset;
  readonly settings: AssetSettings;
  readonly price: Price;
  readonly spam: SpamVerdict;
};

export type AssetPatch = {
  /** null gives the decision back to the rules. */
  readonly spam?: 'spam' | 'not_spam' | null;
  /** US dollars in decimal digits; null takes it away. */
  readonly manualPrice?: string | null;
  readonly ifVersion: IfVersion;
};

export type AssetService = {
  /** Checks the token on its chain and tracks it for the tenant. `created` is false when it was tracked already. Throws unknown_chain, invalid_address, not_a_token, upstream codes. */
  add(
    tenantId: string,
    ref: { readonly chain: string; readonly address: string },
    signal: AbortSignal,
  ): Promise<AssetView & { readonly created: boolean }>;
  /** Spam is left out unless asked for, so that a page may hold fewer than `limit`. */
  list(
    tenantId: string,
    options: { limit: number; afterId: string | null; chain: string | null; includeSpam: boolean },
  ): Promise<{ readonly assets: readonly AssetView[]; readonly nextId: AssetPage['nextId'] }>;
  /** `id` is the asset's UUID or its CAIP-19 id. These throw asset_not_found, and precondition_failed when the settings have another version. */
  get(tenantId: string, id: string): Promise<AssetView>;
  update(tenantId: string, id: string, patch: AssetPatch): Promise<AssetView>;
  /** Accepts the price that is held back now, if it still is `value` (conflict otherwise, and when none is), so that it is summed from now on. */
  acceptPrice(tenantId: string, id: string, value: string): Promise<AssetView>;
  /** Stops following a token that was added by hand: unless it is listed, it is in no answer from now on. */
  untrack(tenantId: string, id: string, ifVersion: IfVersion): Promise<void>;
};

type AssetServiceDeps = FindAssetDeps & {
  readonly assets: AssetStore;
  readonly prices: Pick<PriceService, 'getPrices'>;
  readonly portfolio: Pick<PortfolioService, 'findHeldBack'>;
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  readonly isListed: (ref: { readonly chain: string; readonly address: string }) => boolean;
  readonly now: () => Date;
};

export function createAssetService(deps: AssetServiceDeps): AssetService {
  const { assets } = deps;
  return {
    add: (tenantId, ref, signal) => addAsset(deps, { tenantId, ref, signal }),
    async list(tenantId, options) {
      if (options.chain !== null) requireChain(deps.chains, options.chain);
      const page = await assets.list(tenantId, options);
      const views = await viewAll(deps, tenantId, page.assets);
      return { assets: views.filter((view) => options.includeSpam || !view.spam.isSpam), nextId: page.nextId };
    },
    async get(tenantId, id) {
      return viewOne(deps, tenantId, await findAsset(deps, id));
    },
    async update(tenantId, id, patch) {
      const asset = await findAsset(deps, id);
      await assets.updateSettings(tenantId, asset.id, patch);
      return viewOne(deps, tenantId, asset);
    },
    async acceptPrice(tenantId, id, value) {
      const asset = await findAsset(deps, id);
      const view = await viewOne(deps, tenantId, asset);
      const accepted = parseDecimal(value);
      if (view.price.status !== 'quarantined') throw new AppError('conflict', 'No price of this asset is held back.');
      if (accepted === undefined || view.price.value === null || !view.price.value.eq(accepted)) {
        throw new AppError('conflict', 'This is not the price that is quoted now. Read the asset again and accept what you see.');
      }
      await assets.updateSettings(tenantId, asset.id, { acceptedPrice: formatDecimal(accepted) });
      return viewOne(deps, tenantId, asset);
    },
    async untrack(tenantId, id, ifVersion) {
      await assets.updateSettings(tenantId, (await findAsset(deps, id)).id, { tracked: false, ifVersion });
    },
  };
}

async function addAsset(
  deps: AssetServiceDeps,
  { tenantId, ref, signal }: { tenantId: string; ref: { chain: string; address: string }; signal: AbortSignal },
): Promise<AssetView & { created: boolean }> {
  const chain = requireChain(deps.chains, ref.chain);
  const source = deps.sources.get(chain.slug);
  if (source === undefined) throw new AppError('unknown_chain', `${chain.name} is not read here.`);
  const address = deps.parseAddress[chain.family](ref.address);
  if (address === undefined) throw new AppError('invalid_address', `This is not an address of ${chain.name}.`);
  const description = (await source.describeTokens([address], signal)).get(address);
  if (description === undefined || description.status === 'not_a_token') {
    throw new AppError('not_a_token', `Nothing at this address of ${chain.name} behaves like a token.`);
  }
  if (description.status === 'failed') {
    const { code, provider } = description.error;
    throw new AppError(code, `${chain.name} could not be asked about this token.`, provider === null ? {} : { provider });
  }
  const [asset] = await deps.assets.upsertMany([{ ...description.info, listed: deps.isListed({ chain: chain.slug, address }) }]);
  if (asset === undefined) throw new AppError('internal', 'The token was not stored.');
  const before = (await deps.assets.getSettings(tenantId, [asset.id])).get(asset.id);
  await deps.assets.updateSettings(tenantId, asset.id, { tracked: true });
  return { ...(await viewOne(deps, tenantId, asset)), created: before?.trackedAt == null };
}

async function viewAll(deps: AssetServiceDeps, tenantId: string, assets: readonly Asset[]): Promise<readonly AssetView[]> {
  const [facts, heldBack] = await Promise.all([readAssetFacts(deps, tenantId, assets), deps.portfolio.findHeldBack(tenantId)]);
  const contexts = toAssetContexts(assets, facts, deps.now());
  return assets.flatMap((asset) => {
    const context = contexts.get(asset.id);
    if (context === undefined) return [];
    const { settings, price, spam } = context;
    return [{ asset, settings, price: heldBack.has(asset.id) ? holdBack(price) : price, spam }];
  });
}

async function viewOne(deps: AssetServiceDeps, tenantId: string, asset: Asset): Promise<AssetView> {
  const [view] = await viewAll(deps, tenantId, [asset]);
  if (view === undefined) throw new AppError('asset_not_found', 'There is no asset of this id.');
  return view;
}
