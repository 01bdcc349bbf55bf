import { z } from 'zod';
import { REBALANCING_RULES } from '../../domain/performance/benchmark.ts';
import { COST_BASIS_METHODS } from '../../domain/performance/cost-basis.ts';
import { PERFORMANCE_PERIODS } from '../../domain/performance/period.ts';
import { assetIdentity, chainSlug, decimalString, timestamp, uuid } from './common.ts';
import { currencyInput, momentInput, timeZoneInput } from './past-query.ts';
import { missingSource } from './snapshots.ts';

export const performanceQuery = z.strictObject({
  period: z.enum(PERFORMANCE_PERIODS).default('1M').meta({
    description:
      'Counted back from `to` by the calendar of `tz`; `ytd` since the year of `to` began, `all` since the first snapshot.',
  }),
  from: momentInput
    .optional()
    .meta({ description: 'Takes the place of `period`. The period begins with the last snapshot until then.' }),
  to: momentInput
    .optional()
    .meta({ description: 'By default the last snapshot. The period ends with the last snapshot until then.' }),
  tz: timeZoneInput.meta({ description: 'IANA time zone whose calendar is meant. Days of risk figures are those of UTC.' }),
  currency: currencyInput.meta({ description: 'Currency of every value, and of every rate of return.' }),
  chain: z.array(chainSlug).max(50).optional().meta({
    description: 'Only the assets of these chains: repeat it, or separate with commas. What leaves them is a flow.',
  }),
  benchmark: z.string().min(1).max(1000).default('btc:50,eth:50').meta({
    description:
      'A basket, its shares in per cent: codes of currencies and coins (`btc`, `eth`, `usd`, `xau`), and assets by UUID or CAIP-19 id; `none` for none. Assets have prices for the times at which they were held.',
    example: 'btc:50,eip155:1/slip44:60:50',
  }),
  rebalance: z.enum(REBALANCING_RULES).default('never').meta({
    description: 'Whether the basket goes back to its shares at the first moment of each month (UTC).',
  }),
  cost_basis: z.enum(COST_BASIS_METHODS).default('fifo').meta({ description: 'Which units go first when some are sold.' }),
  risk_free: z
    .string()
    .regex(/^[01](\.\d{1,12})?$/, 'Give a fraction a year from 0 to 1.99: 0.04 for four per cent.')
    .optional()
    .meta({ description: 'A fraction a year. By default what is configured.', example: '0.04' }),
});

const figureReason = z.enum([
  'no_snapshot',
  'one_snapshot',
  'nothing_invested',
  'no_rate_fits',
  'too_few_days',
  'less_than_a_year',
  'no_spread',
  'nothing_fell',
  'basket_unpriced',
  'unpriced',
  'cost_unknown',
]);
const reason = figureReason.nullable().meta({ description: 'Why there is none.' });

const rate = decimalString.meta({ description: 'A fraction: 0.05 for five per cent.', example: '0.0512' });
const rateFigure = z
  .object({ value: rate.nullable(), reason })
  .meta({ id: 'RateFigure', description: 'A rate or ratio as a fraction, or why there is none.' });
const money = decimalString.meta({ description: 'In `currency`.' });
const moneyFigure = z
  .object({ value: money.nullable(), reason })
  .meta({ id: 'MoneyFigure', description: 'A sum in `currency`, or why there is none.' });
const dayFigure = z
  .object({ value: rate.nullable(), day: z.iso.date().nullable(), reason })
  .meta({ id: 'DayFigure', description: 'A day (UTC) and its return, or why there is none.' });
const asset = z.object({ ...assetIdentity, asset_uuid: uuid });
const share = { value: money, share: decimalString.nullable().meta({ description: 'Part of the whole, 0 to 1.' }) };

const returns = z.object({
  time_weighted: rateFigure.meta({
    description:
      'The return over the period without the effect of when money came and went: the value before each flow over the value after the one before, linked. Flows are valued at the first of `snapshots` that shows them.',
  }),
  time_weighted_annual: rateFigure.meta({ description: 'The same for a year (365 days); only for a period of a year or more.' }),
  undefined_stretches: z.int().meta({ description: 'Stretches with nothing to earn on, which count as zero.' }),
  money_weighted: rateFigure.meta({
    description: 'The rate at which start, flows and end fit together (XIRR), over the period.',
  }),
  money_weighted_annual: rateFigure.meta({ description: 'The same a year (Act/365); only for a period of a year or more.' }),
  money_weighted_ambiguous: z
    .boolean()
    .meta({ description: 'Whether other rates fit as well; this one is nearest to Modified Dietz.' }),
  modified_dietz: rateFigure.meta({
    description:
      'The return by the two ends alone, flows weighted by the time they were there: for where little between is valued.',
  }),
  roi: rateFigure.meta({ description: '(end - start) / start, flows and all: what came in looks like a gain.' }),
});

const risk = z.object({
  risk_free: rate.meta({ description: 'A fraction a year. A day of it is (1 + rate)^(1/365) - 1.' }),
  days: z.int().meta({ description: 'UTC days whose return is known: those of the sample.' }),
  volatility: rateFigure.meta({ description: 'Standard deviation (n - 1) of the daily returns, times the root of 365.' }),
  sharpe: rateFigure.meta({
    description: 'Mean daily return over the risk-free one by its standard deviation, times the root of 365.',
  }),
  sortino: rateFigure.meta({
    description: 'Mean daily return over the risk-free one times 365, by the downside risk over all days.',
  }),
  max_drawdown: z
    .object({
      value: rate.nullable(),
      peak_at: timestamp.nullable(),
      trough_at: timestamp.nullable(),
      recovered_at: timestamp.nullable().meta({ description: 'Null while it has not.' }),
      reason,
    })
    .meta({ id: 'DrawdownFigure', description: 'The deepest fall of the time-weighted index between days, zero or below.' }),
  calmar: rateFigure.meta({ description: 'The yearly return by the depth of the deepest fall.' }),
  best_day: dayFigure,
  worst_day: dayFigure,
});

const flows = z
  .object({
    in: money,
    out: money,
    net: money,
    count: z.int().meta({ description: 'Movements across the border, of each asset from snapshot to snapshot.' }),
    deposits: money,
    withdrawals: money.meta({ description: 'Zero or below.' }),
    unexplained: money.meta({ description: 'What the ledger does not tell of.' }),
    opening: money.meta({ description: 'What wallets held when they were added.' }),
    in_transit: money.meta({ description: 'On the way between own wallets at a snapshot: zero once it has arrived.' }),
    trades: money.meta({
      description:
        'Exchanges of which one side has no price, counts as spam or is shown by no amount yet: what was given for it left, so that it does not look lost. All other exchanges are part of the return.',
    }),
    revalued: money.meta({ description: 'What came to have a price, or lost it: no gain, and counted like a flow.' }),
    fees: money.meta({ description: 'Paid to chains; part of the return.' }),
    income: money.meta({ description: 'Earned by what was held; part of the return.' }),
    unpriced_count: z.int().meta({ description: 'Movements without a price, in no sum.' }),
  })
  .meta({ id: 'Flows', description: 'What moved in the period, each valued at the first of `snapshots` that shows it.' });

const pnl = z.object({
  cost_basis: z.enum(COST_BASIS_METHODS),
  realised: money.meta({ description: 'By what left in the period: what it brought less what it had cost.' }),
  unrealised: money.meta({ description: 'By what is held at the end, since it was bought, which may be before the period.' }),
  fees: money,
  income: money,
  gain: money.meta({
    description:
      'Realised, unrealised and income: against the cost of what was bought, so that it is not the gain of the period, which stands beside `end_value`.',
  }),
  gain_without_currency: money,
  currency_effect: money,
  assets: z.array(
    z
      .object({
        ...asset.shape,
        quantity: decimalString.meta({ description: 'In whole tokens.' }),
        cost: moneyFigure.meta({
          description:
            'Of the units held: your own price on the entry, else the price at the snapshot that first showed them; since the first snapshot.',
        }),
        value: moneyFigure,
        unrealised: moneyFigure,
        realised: money.meta({
          description: 'In the period, by all that left, fees included; as though sold at the price then.',
        }),
        fees: money,
        income: money,
        gain: moneyFigure.meta({ description: 'Realised, unrealised and income.' }),
        gain_without_currency: moneyFigure.meta({ description: 'As if the currency had always cost what it does at the end.' }),
        currency_effect: moneyFigure.meta({ description: 'What the currency itself added to the gain.' }),
        uncosted_quantity: decimalString.meta({ description: 'Units held whose cost is not known: in no cost and no gain.' }),
        untold_quantity: decimalString.meta({ description: 'Units that left in the period whose gain is not known.' }),
      })
      .meta({ id: 'AssetPnl' }),
  ),
});

const benchmark = z
  .object({
    basket: z.array(z.object({ name: z.string(), share: decimalString.meta({ description: 'Part of the whole, 0 to 1.' }) })),
    rebalance: z.enum(REBALANCING_RULES),
    starts_at: timestamp
      .nullable()
      .meta({ description: 'Since when every part has a price: both sides are compared from there.' }),
    end_value: moneyFigure.meta({ description: 'What the basket would be worth, fed the same flows at the same moments.' }),
    value_difference: moneyFigure.meta({ description: 'What the portfolio has more.' }),
    time_weighted: rateFigure,
    rate_difference: rateFigure.meta({ description: "The portfolio's rate less the basket's." }),
    exhausted_at: timestamp.nullable().meta({ description: 'When more was taken out than the basket was worth.' }),
    unpriced_parts: z.array(z.string()).meta({ description: 'Parts without any price in the period.' }),
  })
  .meta({ id: 'BenchmarkComparison' });

export const performanceSchema = z
  .object({
    currency: z.string(),
    period: z.enum(PERFORMANCE_PERIODS).nullable().meta({ description: 'Null when `from` was given.' }),
    tz: z.string(),
    from: timestamp.nullable().meta({ description: 'Where the period begins.' }),
    starts_at: timestamp.nullable().meta({ description: 'The snapshot it begins with.' }),
    ends_at: timestamp.nullable().meta({ description: 'The snapshot it ends with.' }),
    days: decimalString.meta({ description: 'Between the two snapshots.' }),
    complete: z
      .boolean()
      .meta({ description: 'Whether every part is known and priced, every day has a snapshot, and every snapshot is whole.' }),
    incomplete_reasons: z.array(
      z.enum([
        'no_snapshot',
        'starts_later',
        'snapshot_partial',
        'days_without_snapshot',
        'unpriced',
        'fx_missing',
        'nothing_to_earn_on',
      ]),
    ),
    missing: z
      .array(missingSource)
      .meta({ description: 'Sources that a snapshot of the period could not rely on, as last told.' }),
    snapshots: z
      .object({ full: z.int(), partial: z.int(), days_without: z.int().meta({ description: 'UTC days without any.' }) })
      .meta({ description: 'Those the figures are made from: the last of each day, and of each hour in which an amount moved.' }),
    unpriced: z.array(asset).meta({ description: 'Assets held without a price at some of the snapshots.' }),
    start_value: money.nullable(),
    end_value: money.nullable(),
    gain: money.nullable().meta({ description: 'The difference of the two, less all flows.' }),
    returns,
    risk,
    flows,
    allocation: z.object({
      by_asset: z.array(asset.extend(share)),
      by_chain: z.array(z.object({ chain: chainSlug, ...share })),
      by_wallet: z.array(z.object({ wallet_id: uuid, ...share })),
      concentration: z
        .object({
          index: decimalString.meta({
            description: 'Sum of the squared shares of the assets (Herfindahl-Hirschman): 1 for a single one.',
          }),
          effective_assets: decimalString.meta({ description: 'How many equal assets would be as concentrated.' }),
          largest: decimalString.meta({ description: 'Share of the largest.' }),
        })
        .nullable()
        .meta({ description: 'Null when nothing has a price.' }),
    }),
    pnl,
    benchmark: benchmark.nullable().meta({ description: 'Null for `none`.' }),
  })
  .meta({ id: 'Performance' });

export type PerformanceWire = z.output<typeof performanceSchema>;
