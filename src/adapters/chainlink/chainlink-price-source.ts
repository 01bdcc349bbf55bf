import type { AssetRef } from '../../domain/asset.ts';
import { toAppError } from '../../domain/errors.ts';
import type { PriceAttempt } from '../../domain/price.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import type { EvmCaller } from '../evm-caller.ts';
import type { PriceAnswer, PriceSource } from '../price-source.ts';
import { type PriceFeed, priceFeeds } from './chainlink-feeds.ts';
import { CHAINLINK_ID, GRACE_MS, readRounds } from './chainlink-rounds.ts';

type Deps = {
  /** Calls on Ethereum, where the feeds are. */
  readonly caller: EvmCaller;
  readonly now: () => Date;
};

const feedByAsset = new Map(Object.values(priceFeeds).flatMap((feed) => feed.assets.map((key) => [key, feed] as const)));

/**
 * Prices from Chainlink's feeds, read through Ethereum's own endpoints: nobody else learns what is held. A feed is written when the price has moved or its
 * heartbeat is over, so a quote is refused as too old only when the feed is late, and `quotedAt` is when it was last written.
 */
export function createChainlinkPriceSource({ caller, now }: Deps): PriceSource {
  return {
    id: CHAINLINK_ID,
    supports: (asset) => feedOf(asset) !== undefined,
    async fetchPrices(assets, signal) {
      const addresses = new Set(assets.flatMap((asset) => feedOf(asset)?.address ?? []));
      if (addresses.size === 0) return assets.map((asset) => refuse(asset, 'not_quoted'));
      try {
        const rounds = await readRounds(caller, [...addresses], signal);
        return assets.map((asset): PriceAnswer => {
          const feed = feedOf(asset);
          const round = feed === undefined ? undefined : rounds.get(feed.address);
          if (feed === undefined || round === undefined) return refuse(asset, 'not_quoted');
          const verdict = checkQuote(round, { now: now(), maxAgeMs: feed.heartbeatSeconds * 1000 + GRACE_MS });
          return verdict.isGood ? { asset, quote: verdict.quote } : refuse(asset, verdict.reason);
        });
      } catch (error) {
        const { code } = toAppError(error);
        return assets.map((asset) => refuse(asset, 'source_failed', code));
      }
    },
  };
}

function feedOf({ chain, address }: AssetRef): PriceFeed | undefined {
  return feedByAsset.get(`${chain}/${address === null ? 'native' : chain === 'solana' ? address : address.toLowerCase()}`);
}

function refuse(asset: AssetRef, reason: PriceAttempt['reason'], detail?: string): PriceAnswer {
  return { asset, refused: { source: CHAINLINK_ID, reason, ...(detail === undefined ? {} : { detail }) } };
}
