import type { AssetRef } from '../domain/asset.ts';
import type { Holding, SourceReading, SourceState } from '../domain/holding.ts';

export type BalanceFilter = { readonly walletIds: readonly string[] | null; readonly chains: readonly string[] | null };

export type BalanceStore = {
  /**
   * Stores the outcome of reads in one transaction; every asset named in them must be in the asset store. Rules of truth:
   * a failed source keeps its amounts and notes the failure; a failed reading keeps the asset's last amount (null if none) with its error;
   * a zero is stored only over an existing row, except for the chain's own coin; in an exhaustive reading every stored asset
   * that is not named becomes zero at that block. A reading older than what is stored (by observedAt) is ignored. Readings of a wallet that was
   * deleted meanwhile, or of a chain it no longer follows, are dropped silently.
   */
  saveReadings(tenantId: string, readings: readonly SourceReading[]): Promise<void>;
  /** Stored amounts, zero ones left out unless they failed or are the chain's own coin. Sorted by wallet, chain, asset. */
  listHoldings(tenantId: string, filter: BalanceFilter): Promise<readonly Holding[]>;
  /** One state for every wallet, chain and kind that was ever attempted. */
  listSources(tenantId: string, filter: BalanceFilter): Promise<readonly SourceState[]>;
  /** Assets with a non-zero or unknown amount in any wallet of the tenant. */
  listHeldAssets(tenantId: string): Promise<readonly (AssetRef & { readonly id: string })[]>;
};
