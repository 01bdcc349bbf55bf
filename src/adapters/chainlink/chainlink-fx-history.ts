import type { PastEvmCaller } from '../evm-caller.ts';
import type { FxHistorySource } from '../price-history.ts';
import { createChainlinkFxSource } from './chainlink-fx-source.ts';
import { CHAINLINK_ID } from './chainlink-rounds.ts';

/** Currency rates as Chainlink's feeds on Ethereum told them at a moment. */
export function createChainlinkFxHistory({ callerAt }: { readonly callerAt: PastEvmCaller }): FxHistorySource {
  return {
    id: CHAINLINK_ID,
    async fetchRatesAt(moment, signal) {
      const source = createChainlinkFxSource({ caller: callerAt(moment), now: () => moment });
      return [...(await source.fetchRates(signal)).values()];
    },
  };
}
