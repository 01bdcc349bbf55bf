import { toAppError } from '../domain/errors.ts';
import type { FxSource, PriceSource } from './price-source.ts';

/** Hears how long each question to a source took, and `ok` or the code of what went wrong. */
export type OnPriceSource = (call: { readonly source: string; readonly outcome: string; readonly seconds: number }) => void;

/** The same source, which tells how it does. */
export function observePriceSource(source: PriceSource, onPriceSource: OnPriceSource): PriceSource {
  return {
    ...source,
    async fetchPrices(assets, signal) {
      const tell = startReport(source.id, onPriceSource);
      try {
        const answers = await source.fetchPrices(assets, signal);
        const failed = answers.flatMap((answer) =>
          'refused' in answer && answer.refused.reason === 'source_failed' ? [answer.refused.detail ?? 'internal'] : [],
        );
        tell(failed[0] ?? 'ok');
        return answers;
      } catch (error) {
        tell(toAppError(error).code);
        throw error;
      }
    },
  };
}

/** The same source, which tells how it does. */
export function observeFxSource(source: FxSource, onPriceSource: OnPriceSource): FxSource {
  return {
    ...source,
    async fetchRates(signal) {
      const tell = startReport(`${source.id}_fx`, onPriceSource);
      try {
        const rates = await source.fetchRates(signal);
        tell('ok');
        return rates;
      } catch (error) {
        tell(toAppError(error).code);
        throw error;
      }
    },
  };
}

function startReport(source: string, onPriceSource: OnPriceSource): (outcome: string) => void {
  const startedAt = performance.now();
  return (outcome) => onPriceSource({ source, outcome, seconds: (performance.now() - startedAt) / 1000 });
}
