import type { Chain } from './chain.ts';

export type TokenStandard = 'native' | 'erc20' | 'spl' | 'spl-2022';

/** Token-2022 and similar traits that a holder should know of. */
export type AssetFlag =
  | 'transfer_fee'
  | 'scaled_ui_amount'
  | 'interest_bearing'
  | 'default_frozen'
  | 'permanent_delegate'
  | 'transfer_hook'
  | 'pausable'
  | 'non_transferable'
  | 'confidential'
  | 'metadata_truncated'
  | 'metadata_unreadable';

/** Identity of an asset: its chain and token address, null for the chain's own coin. Never the symbol. */
export type AssetRef = { readonly chain: string; readonly address: string | null };

/** What the chain (and for listed tokens the list) says an asset is. Names are cleaned for display; unknown is null. */
export type AssetInfo = AssetRef & {
  readonly standard: TokenStandard;
  readonly symbol: string | null;
  readonly name: string | null;
  /** 0 to 255 as the chain says, null when it does not say it or says nonsense. */
  readonly decimals: number | null;
  readonly flags: readonly AssetFlag[];
};

/** An asset in the store. `listed`: on the curated list shipped with the service, or a native coin. */
export type Asset = AssetInfo & { readonly id: string; readonly listed: boolean };

/** One tenant's own word on an asset. */
export type AssetSettings = {
  /** When the tenant added the token by hand; null when it did not. */
  readonly trackedAt: Date | null;
  readonly spam: 'spam' | 'not_spam' | null;
  readonly manualPrice: { readonly value: string; readonly setAt: Date } | null;
  /** The price up to which a quarantined quote was accepted, and when. */
  readonly acceptedPrice: { readonly value: string; readonly acceptedAt: Date } | null;
  /** Another one after each change; zero when nothing was ever said. */
  readonly version: number;
};

/** What holds for an asset the tenant never said anything about. */
export const DEFAULT_ASSET_SETTINGS: AssetSettings = {
  trackedAt: null,
  spam: null,
  manualPrice: null,
  acceptedPrice: null,
  version: 0,
};

/**
 * Whether it is a token that the owner added and took away again. It is not asked about any more, so that it could only grow older. (A chain whose sources find tokens by themselves goes on
 * finding it.)
 */
export function isTakenAway({ standard, listed }: Asset, { trackedAt }: AssetSettings): boolean {
  return standard === 'erc20' && !listed && trackedAt === null;
}

/** CAIP-19 id: `eip155:1/slip44:60`, `eip155:1/erc20:0x...`, `solana:5eykt.../token:<mint>`. */
export function caip19(chain: Chain, address: string | null): string {
  if (address === null) return `${chain.caip2}/slip44:${chain.native.slip44}`;
  return `${chain.caip2}/${chain.family === 'evm' ? 'erc20' : 'token'}:${address}`;
}

/** A map key for an asset. */
export function assetKey(ref: AssetRef): string {
  return `${ref.chain}/${ref.address ?? 'native'}`;
}
