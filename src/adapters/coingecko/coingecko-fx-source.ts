import { z } from 'zod';
import { Decimal, formatDecimal, parseDecimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import type { FxRate, FxSource } from '../price-source.ts';
import { COINGECKO_ID, type CoingeckoApi } from './coingecko-api.ts';

const answerSchema = z.object({ rates: z.record(z.string(), z.object({ value: z.string() })) });
const RATE_DECIMALS = 18;

/** Currency rates from CoinGecko's `/exchange_rates`, which tells what one bitcoin costs in each. It names no time: the answer counts as made now. */
export function createCoingeckoFxSource({ api, now }: { readonly api: CoingeckoApi; readonly now: () => Date }): FxSource {
  return {
    id: COINGECKO_ID,
    async fetchRates(signal) {
      const answer = answerSchema.safeParse(await api.get('/exchange_rates', {}, signal));
      const perBitcoin = answer.success ? new Map(Object.entries(answer.data.rates)) : new Map<string, { value: string }>();
      const dollars = parseDecimal(perBitcoin.get('usd')?.value ?? '');
      if (dollars === undefined || !dollars.isGreaterThan(0)) {
        throw new AppError('upstream_malformed', 'CoinGecko sent no rates.', { provider: COINGECKO_ID });
      }
      const quotedAt = now();
      const rates = [...perBitcoin].flatMap(([code, { value }]): FxRate[] => {
        const perBtc = parseDecimal(value);
        if (perBtc === undefined || !perBtc.isGreaterThan(0)) return [];
        const perUsd = formatDecimal(perBtc.div(dollars).decimalPlaces(RATE_DECIMALS, Decimal.ROUND_HALF_EVEN));
        return [{ currency: code.toUpperCase(), perUsd, source: COINGECKO_ID, quotedAt }];
      });
      return new Map(rates.map((rate) => [rate.currency, rate]));
    },
  };
}
