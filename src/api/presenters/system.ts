import { caip19 } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import type { Health } from '../../services/health-service.ts';
import type { ChainWire, HealthWire } from '../schemas/system.ts';
import { presentBlockNumber, presentError, presentMoment } from './figures.ts';

/** A chain, with the names of the endpoints it is read from. */
export function presentChain(chain: Chain, endpointNames: readonly string[]): ChainWire {
  const { symbol, name, decimals } = chain.native;
  return {
    slug: chain.slug,
    name: chain.name,
    family: chain.family,
    caip2: chain.caip2,
    native_asset: { asset_id: caip19(chain, null), symbol, name, decimals },
    enabled: endpointNames.length > 0,
    endpoints: [...endpointNames],
  };
}

/** The health of the service and of each part. */
export function presentHealth(health: Health): HealthWire {
  return {
    status: health.status,
    version: health.version,
    started_at: health.startedAt.toISOString(),
    parts: health.parts.map((part) => ({
      name: part.name,
      status: part.status,
      checked_at: presentMoment(part.checkedAt),
      error: presentError(part.error),
      block: part.block === null ? null : presentBlockNumber(part.block),
      in_use: part.inUse,
    })),
  };
}
