import type { Asset, AssetInfo, AssetRef, AssetSettings } from '../domain/asset.ts';

export type AssetPage = { readonly assets: readonly Asset[]; readonly nextId: string | null };

export type AssetSettingsPatch = {
  readonly tracked?: boolean;
  readonly spam?: 'spam' | 'not_spam' | null;
  /** Decimal digits, or null to take the manual price away. */
  readonly manualPrice?: string | null;
  readonly acceptedPrice?: string | null;
};

/** Assets are facts of a chain and shared by all tenants; settings are each tenant's own. */
export type AssetStore = {
  /** Inserts what is new, refreshes the facts of what is known (a null never overwrites a known value), answers in the order given. */
  upsertMany(assets: readonly (AssetInfo & { readonly listed: boolean })[]): Promise<readonly Asset[]>;
  get(id: string): Promise<Asset | undefined>;
  getByRefs(refs: readonly AssetRef[]): Promise<readonly Asset[]>;
  /** Assets the tenant holds, tracks or has settings for, by id; `chain` filters. */
  list(
    tenantId: string,
    options: { readonly limit: number; readonly afterId: string | null; readonly chain: string | null },
  ): Promise<AssetPage>;
  /** Tokens the tenant added by hand on a chain: canonical addresses. */
  listTracked(tenantId: string, chain: string): Promise<readonly string[]>;
  /** Settings by asset id; an asset without settings has no entry. */
  getSettings(tenantId: string, assetIds: readonly string[]): Promise<ReadonlyMap<string, AssetSettings>>;
  /** Sets what the patch names and keeps the rest. */
  updateSettings(tenantId: string, assetId: string, patch: AssetSettingsPatch): Promise<AssetSettings>;
};
