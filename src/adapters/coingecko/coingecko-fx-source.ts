import { z } from 'zod';
import { Decimal, formatDecimal, parseDecimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import type { FxRate, FxSource } from '../price-source.ts';
import { COINGECKO_ID, type CoingeckoApi } from './coingecko-api.ts';

const answerSchema = z.object({ rates: z.record(z.string(), z.object({ value: z.string() }).catch({ value: '' })) });
const RATE_DECIMALS = 18;
const MAX_RATES = 500;
/** A code as our own API takes it. */
const CODE_PATTERN = /^[a-z]{3,5}$/;

/** Currency rates from CoinGecko's `/exchange_rates`, which tells what one bitcoin costs in each. It names no time: the answer counts as made now. */
export function createCoingeckoFxSource({ api, now }: { readonly api: CoingeckoApi; readonly now: () => Date }): FxSource {
  return {
    id: COINGECKO_ID,
    async fetchRates(signal) {
      const answer = answerSchema.safeParse(await api.get('/exchange_rates', {}, signal));
      const perBitcoin = answer.success ? Object.entries(answer.data.rates) : [];
      const dollars = parseDecimal(new Map(perBitcoin).get('usd')?.value ?? '');
      if (dollars === undefined || !dollars.isGreaterThan(0) || perBitcoin.length > MAX_RATES) {
        throw new AppError('upstream_malformed', 'CoinGecko sent no rates.', { provider: COINGECKO_ID });
      }
      const quotedAt = now();
      const rates = perBitcoin.flatMap(([code, { value }]): FxRate[] => {
        const perBtc = parseDecimal(value);
        if (perBtc === undefined || !CODE_PATTERN.test(code)) return [];
        const perUsd = perBtc.div(dollars).decimalPlaces(RATE_DECIMALS, Decimal.ROUND_HALF_EVEN);
        // Also what is too small to be told apart from zero.
        if (!perUsd.isGreaterThan(0)) return [];
        return [{ currency: code.toUpperCase(), perUsd: formatDecimal(perUsd), source: COINGECKO_ID, quotedAt }];
      });
      return new Map(rates.map((rate) => [rate.currency, rate]));
    },
  };
}
