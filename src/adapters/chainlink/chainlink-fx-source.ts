import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import type { EvmCaller } from '../evm-caller.ts';
import type { FxRate, FxSource } from '../price-source.ts';
import { currencyFeeds } from './chainlink-feeds.ts';
import { CHAINLINK_ID, readRounds } from './chainlink-rounds.ts';

const RATE_DECIMALS = 18;
/** Currency markets rest from Friday night to Sunday night, and over long weekends. */
const MAX_AGE_MS = 4 * 24 * 3_600_000;

/** Currency rates from Chainlink's feeds on Ethereum. */
export function createChainlinkFxSource({ caller, now }: { readonly caller: EvmCaller; readonly now: () => Date }): FxSource {
  return {
    id: CHAINLINK_ID,
    async fetchRates(signal) {
      const rounds = await readRounds(caller, Object.values(currencyFeeds), signal);
      const rates = Object.entries(currencyFeeds).flatMap(([currency, address]): FxRate[] => {
        const round = rounds.get(address);
        const verdict = round === undefined ? undefined : checkQuote(round, { now: now(), maxAgeMs: MAX_AGE_MS });
        if (!verdict?.isGood) return [];
        const { value, quotedAt } = verdict.quote;
        // A feed tells dollars for one unit of the currency; a rate is the other way round.
        const perUsd = new Decimal(1).div(value).decimalPlaces(RATE_DECIMALS, Decimal.ROUND_HALF_EVEN);
        return [{ currency, perUsd: formatDecimal(perUsd), source: CHAINLINK_ID, quotedAt }];
      });
      return new Map(rates.map((rate) => [rate.currency, rate]));
    },
  };
}
