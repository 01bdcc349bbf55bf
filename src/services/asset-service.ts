import type { AssetPage } from '../db/asset-store.ts';
import type { Asset, AssetSettings } from '../domain/asset.ts';
import type { Price } from '../domain/price.ts';
import type { SpamVerdict } from '../domain/spam.ts';

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
};

export type AssetService = {
  /** Checks the token on its chain and tracks it for the tenant. `created` is false when it was tracked already. Throws unknown_chain, invalid_address, not_a_token, upstream codes. */
  add(
    tenantId: string,
    ref: { readonly chain: string; readonly address: string },
    signal: AbortSignal,
  ): Promise<AssetView & { readonly created: boolean }>;
  list(
    tenantId: string,
    options: { limit: number; afterId: string | null; chain: string | null },
  ): Promise<{ readonly assets: readonly AssetView[]; readonly nextId: AssetPage['nextId'] }>;
  /** `id` is the asset's UUID or its CAIP-19 id. These throw asset_not_found. */
  get(tenantId: string, id: string): Promise<AssetView>;
  update(tenantId: string, id: string, patch: AssetPatch): Promise<AssetView>;
  /** Accepts the price that is quarantined now, if it still is `value` (conflict otherwise, or when none is). */
  acceptPrice(tenantId: string, id: string, value: string): Promise<AssetView>;
  /** Stops following a token that was added by hand. Its stored balances stay readable until the next refresh drops them as untracked. */
  untrack(tenantId: string, id: string): Promise<void>;
};
