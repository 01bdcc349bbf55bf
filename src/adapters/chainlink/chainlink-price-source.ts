import type { AssetRef } from '../../domain/asset.ts';
import { toAppError } from '../../domain/errors.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import type { EvmCaller } from '../evm-caller.ts';
import type { PriceAnswer, PriceSource } from '../price-source.ts';
import { priceFeeds } from './chainlink-feeds.ts';
import { CHAINLINK_ID, readRounds } from './chainlink-rounds.ts';

type Deps = {
  /** Calls on Ethereum, where the feeds are. */
  readonly caller: EvmCaller;
  readonly now: () => Date;
};

/** The feed of an asset, by its key. */
const feedOf = new Map(priceFeeds.flatMap(({ address, assets }) => assets.map((key) => [key, address])));

function keyOf({ chain, address }: AssetRef): string {
  return `${chain}/${address === null ? 'native' : chain === 'solana' ? address : address.toLowerCase()}`;
}

/** Prices from Chainlink's feeds, read through Ethereum's own endpoints: nobody else learns what is held. */
export function createChainlinkPriceSource({ caller, now }: Deps): PriceSource {
  return {
    id: CHAINLINK_ID,
    supports: (asset) => feedOf.has(keyOf(asset)),
    async fetchPrices(assets, signal) {
      const feeds = [...new Set(assets.map((asset) => feedOf.get(keyOf(asset))).filter((feed) => feed !== undefined))];
      if (feeds.length === 0) return assets.map((asset) => refuse(asset, 'not_quoted'));
      try {
        const rounds = await readRounds(caller, feeds, signal);
        return assets.map((asset): PriceAnswer => {
          const round = rounds.get(feedOf.get(keyOf(asset)) ?? '');
          if (round === undefined) return refuse(asset, 'not_quoted');
          const verdict = checkQuote(round, now());
          return verdict.isGood ? { asset, quote: verdict.quote } : refuse(asset, verdict.reason);
        });
      } catch (error) {
        const { code } = toAppError(error);
        return assets.map((asset) => refuse(asset, 'source_failed', code));
      }
    },
  };
}

type Refusal = Extract<PriceAnswer, { refused: unknown }>['refused'];

function refuse(asset: AssetRef, reason: Refusal['reason'], detail?: string): PriceAnswer {
  return { asset, refused: { source: CHAINLINK_ID, reason, ...(detail === undefined ? {} : { detail }) } };
}
