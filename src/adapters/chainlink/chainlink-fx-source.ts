import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import type { EvmCaller } from '../evm-caller.ts';
import type { FxRate, FxSource } from '../price-source.ts';
import { currencyFeeds } from './chainlink-feeds.ts';
import { CHAINLINK_ID, readRounds } from './chainlink-rounds.ts';

const RATE_DECIMALS = 18;
/** Currency feeds rest at weekends. */
const MAX_AGE_MS = 4 * 24 * 3_600_000;

/** Currency rates from Chainlink's feeds on Ethereum. */
export function createChainlinkFxSource({ caller, now }: { readonly caller: EvmCaller; readonly now: () => Date }): FxSource {
  return {
    id: CHAINLINK_ID,
    async fetchRates(signal) {
      const rounds = await readRounds(
        caller,
        currencyFeeds.map((feed) => feed.address),
        signal,
      );
      const rates = currencyFeeds.flatMap(({ currency, address }): FxRate[] => {
        const round = rounds.get(address);
        if (round?.quotedAt == null || now().getTime() - round.quotedAt.getTime() > MAX_AGE_MS) return [];
        // The age is settled above: what is left to check is the number.
        const verdict = checkQuote({ ...round, quotedAt: now() }, now());
        if (!verdict.isGood) return [];
        const perUsd = new Decimal(1).div(verdict.quote.value).decimalPlaces(RATE_DECIMALS, Decimal.ROUND_HALF_EVEN);
        return [{ currency, perUsd: formatDecimal(perUsd), source: CHAINLINK_ID, quotedAt: round.quotedAt }];
      });
      return new Map(rates.map((rate) => [rate.currency, rate]));
    },
  };
}
