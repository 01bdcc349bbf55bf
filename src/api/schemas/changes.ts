import { z } from 'zod';
import type { ChangePart } from '../../domain/history/value-changes.ts';
import { assetIdentity, decimalString, timestamp, uuid } from './common.ts';
import { currencyInput, momentInput, pastScope, timeZoneInput } from './past-query.ts';
import { missingSource, snapshotGrade } from './snapshots.ts';

export const changesQuery = z.strictObject({
  from: momentInput.meta({ description: 'Told by the last snapshot at or before it. A date is its beginning in `tz`.' }),
  to: momentInput.optional().meta({ description: 'Told by the last snapshot at or before it; by default the newest.' }),
  tz: timeZoneInput.meta({ description: 'IANA time zone of dates.' }),
  currency: currencyInput.meta({ description: 'Currency of all values.' }),
  ...pastScope,
  group_by: z.enum(['asset', 'wallet', 'none']).default('asset').meta({ description: 'What `groups` lists.' }),
});

const part = (description: string) => decimalString.meta({ description });

const parts = z
  .object({
    price: part('What was held at the start, at the prices of the end instead of those of the start.'),
    quantity_in: part('Deposits.'),
    quantity_out: part('Withdrawals.'),
    internal: part('Between wallets that are followed: over all of them it adds up to zero, over some it need not.'),
    trade: part('Exchanges of one asset for another, both sides.'),
    income: part('Earned by what is held.'),
    fees: part('Paid to the chains.'),
    fx: part('What was held at the start, at the currency rate of the end instead of that of the start.'),
    newly_found: part('Assets never seen before in wallets that had been read before.'),
    wallet_added: part('What was in a wallet when it was first read.'),
    wallet_removed: part('What was last seen in wallets that are followed no more.'),
    source_failed: part('What counted at the start and is not read any more, in wallets that are followed still.'),
    source_back: part('What had moved while a source could not be read, found when it came back.'),
    price_lost: part('What is held still but has no price any more.'),
    price_found: part('What was held already but had no price at the start.'),
    spam_reclassified: part('What counted as spam, or was held back, at one end and not at the other.'),
    unexplained: part('What moved and the ledger says nothing of.'),
  } satisfies Record<ChangePart, z.ZodType>)
  .meta({
    id: 'ChangeParts',
    description:
      'They add up to the difference to the last digit. What moved counts at the price and the rate of the end, or those of the start where the end has no price.',
  });

const end = z
  .object({
    asked_at: timestamp.nullable().meta({ description: 'Null where no time was named.' }),
    snapshot_at: timestamp.nullable().meta({
      description:
        'Of the snapshot that tells this end; null before the first one: then nothing was known, the value is 0 and all there is later is `wallet_added`.',
    }),
    seconds_before: z.int().min(0).nullable().meta({ description: 'How long before the time asked for the snapshot was taken.' }),
    grade: snapshotGrade.nullable(),
    missing_count: z.int().min(0),
    missing: z
      .array(missingSource)
      .meta({ description: 'The sources it could not rely on; the first ones where there are very many.' }),
    fx_rate: decimalString.nullable().meta({ description: 'Units of `currency` for one US dollar; null when unknown.' }),
    value: decimalString.nullable().meta({ description: 'Sum of what has a value; null when the rate is unknown.' }),
    chart_value: decimalString.nullable().meta({
      description:
        'What `GET /portfolio/history` says of the same snapshot. It goes by what is said of spam today; `value` goes by what was said then of assets that were reclassified between the two ends. All else is the same.',
    }),
    unpriced_count: z
      .int()
      .min(0)
      .meta({ description: 'Holdings that add nothing to the value because a price or decimals are unknown.' }),
  })
  .meta({ id: 'ChangesEnd' });

const figures = {
  start_value: decimalString,
  end_value: decimalString,
  difference: decimalString,
  parts,
};

const group = z
  .object({
    asset: z
      .object({
        ...assetIdentity,
        asset_uuid: uuid,
        start_balance: decimalString.nullable().meta({ description: 'In whole tokens; null when its decimals are unknown.' }),
        end_balance: decimalString.nullable(),
      })
      .nullable()
      .meta({ description: 'Null for a group by wallet.' }),
    wallet_id: uuid
      .nullable()
      .meta({ description: 'Null for a group by asset. The wallet may be one that is followed no more.' }),
    ...figures,
  })
  .meta({ id: 'ChangesGroup' });

export const changesSchema = z
  .object({
    currency: z.string(),
    from: end,
    to: end,
    difference: decimalString.nullable().meta({ description: 'Value at the end less value at the start.' }),
    parts: parts.nullable(),
    reason: z
      .enum(['fx_missing'])
      .nullable()
      .meta({ description: 'Why there is no difference: the rate of the currency is not known at one end.' }),
    groups: z.array(group),
  })
  .meta({ id: 'Changes' });

export type ChangesWire = z.output<typeof changesSchema>;
