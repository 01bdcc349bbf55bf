import { createChainlinkFxHistory } from '../adapters/chainlink/chainlink-fx-history.ts';
import { createChainlinkFxSource } from '../adapters/chainlink/chainlink-fx-source.ts';
import { createChainlinkPriceSource } from '../adapters/chainlink/chainlink-price-source.ts';
import { createCoingeckoApi } from '../adapters/coingecko/coingecko-api.ts';
import { createCoingeckoFxSource } from '../adapters/coingecko/coingecko-fx-source.ts';
import { createCoingeckoPriceSource } from '../adapters/coingecko/coingecko-price-source.ts';
import { createDefillamaPriceSource } from '../adapters/defillama/defillama-price-source.ts';
import { createDefillamaPriceHistory } from '../adapters/defillama/price-history.ts';
import type { EvmCaller, PastEvmCaller } from '../adapters/evm-caller.ts';
import { type OnPriceSource, observeFxSource, observePriceSource } from '../adapters/observed-sources.ts';
import type { FxHistorySource, PriceHistorySource } from '../adapters/price-history.ts';
import type { FxSource, PriceSource } from '../adapters/price-source.ts';
import type { Config, PriceSourceId } from '../config.ts';
import { chains } from '../domain/chains.ts';
import type { HttpClient } from '../lib/http-client.ts';

export type PriceAdapters = {
  readonly sources: readonly PriceSource[];
  readonly fxSources: readonly FxSource[];
  /** null: none of those that are configured tells the past. */
  readonly history: PriceHistorySource | null;
  readonly fxHistory: FxHistorySource | null;
};

type PriceDeps = {
  readonly http: HttpClient;
  /** Calls on Ethereum, where Chainlink's feeds are. */
  readonly caller: EvmCaller | undefined;
  readonly callerAt: PastEvmCaller | undefined;
  readonly now: () => Date;
  readonly onPriceSource: OnPriceSource;
};

/** Makes the price sources that are configured, in their order, and the currency sources among the same vendors. */
export function composePrices(config: Config, { http, caller, callerAt, now, onPriceSource }: PriceDeps): PriceAdapters {
  const api = createCoingeckoApi({ baseUrl: config.coingeckoUrl, apiKey: config.coingeckoApiKey, http });
  const vendors: Readonly<Record<PriceSourceId, { price: PriceSource | undefined; fx: FxSource | undefined }>> = {
    defillama: { price: createDefillamaPriceSource({ baseUrl: config.defillamaUrl, http, chains, now }), fx: undefined },
    coingecko: { price: createCoingeckoPriceSource({ api, chains, now }), fx: createCoingeckoFxSource({ api, now }) },
    chainlink:
      caller === undefined
        ? { price: undefined, fx: undefined }
        : { price: createChainlinkPriceSource({ caller, now }), fx: createChainlinkFxSource({ caller, now }) },
  };
  const chosen = config.priceSources.map((id) => vendors[id]);
  return {
    history: config.priceSources.includes('defillama')
      ? createDefillamaPriceHistory({ baseUrl: config.defillamaUrl, http, chains })
      : null,
    fxHistory:
      config.priceSources.includes('chainlink') && callerAt !== undefined ? createChainlinkFxHistory({ callerAt }) : null,
    sources: chosen.flatMap(({ price }) => (price === undefined ? [] : [observePriceSource(price, onPriceSource)])),
    fxSources: chosen.flatMap(({ fx }) => (fx === undefined ? [] : [observeFxSource(fx, onPriceSource)])),
  };
}
