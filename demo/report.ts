import { z } from 'zod';
import { formatTable, shorten } from './table.ts';

const portfolioSchema = z.object({
  currency: z.string(),
  total_value: z.string().nullable(),
  complete: z.boolean(),
  incomplete_reasons: z.array(z.string()),
  unpriced_count: z.number(),
  spam_count: z.number(),
  by_asset: z.array(
    z.object({
      token_symbol: z.string().nullable(),
      chain: z.string(),
      balance: z.string().nullable(),
      price: z.object({ value: z.string().nullable(), source: z.string().nullable() }),
      value: z.string().nullable(),
      share: z.string().nullable(),
    }),
  ),
  sources: z.array(z.object({ chain: z.string().nullable(), kind: z.string(), status: z.string() })),
});

/** The portfolio as a table for the terminal. */
export function formatPortfolio(answer: unknown): string {
  const portfolio = portfolioSchema.parse(answer);
  const rows = portfolio.by_asset.map((asset) => [
    asset.token_symbol ?? '?',
    asset.chain,
    shorten(asset.balance, 6),
    shorten(asset.price.value, 4),
    asset.price.source ?? '-',
    shorten(asset.value, 2),
    asset.share === null ? '-' : `${(Number(asset.share) * 100).toFixed(1)} %`,
  ]);
  const head = ['Asset', 'Chain', 'Amount', 'Price', 'Source', `Value (${portfolio.currency})`, 'Share'];
  const good = portfolio.sources.filter((source) => source.status === 'ok').length;
  return [
    formatTable(head, rows),
    '',
    `Total ${shorten(portfolio.total_value, 2)} ${portfolio.currency}`,
    `Complete: ${portfolio.complete ? 'yes' : `no (${portfolio.incomplete_reasons.join(', ')})`}; ${good} of ${portfolio.sources.length} sources are fresh; ` +
      `${portfolio.unpriced_count} unpriced; ${portfolio.spam_count} hidden as spam`,
  ].join('\n');
}

const historySchema = z.object({
  currency: z.string(),
  points: z.array(z.object({ from: z.string(), value: z.string().nullable(), complete: z.boolean() })),
});

const BARS = '▁▂▃▄▅▆▇█';

/** A chart as one line of bars, from its lowest to its highest value. */
export function formatHistory(answer: unknown): string {
  const { currency, points } = historySchema.parse(answer);
  const known = points.flatMap(({ from, value }) => (value === null ? [] : [{ day: from.slice(0, 10), value }]));
  const [first, last] = [known.at(0), known.at(-1)];
  if (first === undefined || last === undefined) return 'No history yet.';
  const heights = known.map(({ value }) => Number(value));
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const bars = heights.map((value) => BARS.at(Math.round(((value - low) / (high - low || 1)) * (BARS.length - 1))));
  return [
    `The EVM wallets since ${first.day}, read back from the chain:`,
    `${bars.join('')}  ${shorten(first.value, 2)} -> ${shorten(last.value, 2)} ${currency}`,
  ].join('\n');
}
