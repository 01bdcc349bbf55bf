import { z } from 'zod';
import { ALERT_KINDS, ALERT_UNKNOWN_REASONS } from '../../domain/alerts/alert.ts';
import { decimalInput, decimalString, label, timestamp, uuid } from './common.ts';
import { assetReference, currencyInput } from './past-query.ts';

const MAX_COOLDOWN_SECONDS = 30 * 86_400;

const direction = z.enum(['above', 'below']).meta({ description: 'On which side of the threshold you want to be told.' });
const threshold = decimalInput.meta({ description: 'The figure must be beyond it, not at it.' });
const part = z
  .string()
  .max(82)
  .regex(/^0(\.\d{1,80})?$/, 'Give a part of one, such as 0.05.')
  .meta({ example: '0.05' });
const hysteresis = part.meta({
  description: 'Part of the threshold by which the figure must come back over it before the alert is over.',
});
const cooldownSeconds = z
  .int()
  .min(0)
  .max(MAX_COOLDOWN_SECONDS)
  .meta({ description: 'The least time between two times that you are told it is set off.' });
const name = label.nullable();

const common = { name: name.optional(), hysteresis: hysteresis.default('0'), cooldown_seconds: cooldownSeconds.default(0) };
const walletId = uuid.nullable().optional().meta({ description: 'Of this wallet alone; of all of them when it is left out.' });
const assetId = assetReference.meta({ description: 'UUID or CAIP-19 id of the asset.' });

/** A rule of one of four kinds. */
export const newAlertSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('value').meta({ description: 'What all is worth, or one wallet.' }),
      wallet_id: walletId,
      currency: currencyInput,
      direction,
      threshold: threshold.meta({ description: 'In `currency`.' }),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('share').meta({ description: 'How large a part of the total an asset is.' }),
      asset_id: assetId,
      direction,
      threshold: part.meta({ description: 'Part of the total, from 0 to below 1.' }),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('price').meta({ description: 'What one whole token costs.' }),
      asset_id: assetId,
      currency: currencyInput,
      direction,
      threshold: threshold.meta({ description: 'In `currency`.' }),
      ...common,
    }),
    z.strictObject({
      kind: z.literal('staleness').meta({ description: 'How old the oldest figures read from chains are.' }),
      wallet_id: walletId,
      threshold: threshold.meta({ description: 'Seconds.', example: '3600' }),
      ...common,
    }),
  ])
  .meta({ id: 'NewAlert' });

export const alertPatchSchema = z
  .strictObject({
    name: name.optional(),
    direction: direction.optional(),
    threshold: threshold.optional(),
    hysteresis: hysteresis.optional(),
    cooldown_seconds: cooldownSeconds.optional(),
    enabled: z.boolean().optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Give at least one field.')
  .meta({ id: 'AlertPatch' });

export const alertSchema = z
  .object({
    id: uuid,
    name: z.string().nullable(),
    kind: z.enum(ALERT_KINDS),
    wallet_id: uuid.nullable(),
    asset_id: z.string().nullable().meta({ description: 'CAIP-19 id.' }),
    currency: z.string().nullable(),
    direction,
    threshold: decimalString,
    hysteresis: decimalString,
    cooldown_seconds: z.int(),
    enabled: z.boolean(),
    state: z.object({
      status: z.enum(['pending', 'ok', 'triggered']).meta({ description: '`pending`: nobody has looked yet.' }),
      value: decimalString.nullable().meta({ description: 'The figure when it was looked at last; null when unknown.' }),
      unknown_reasons: z.array(z.enum(ALERT_UNKNOWN_REASONS)).meta({
        description: 'Why the figure is not known, or not for certain. Then nothing is set off and nothing is over.',
      }),
      evaluated_at: timestamp.nullable(),
      triggered_at: timestamp.nullable().meta({ description: 'When it was last set off.' }),
      resolved_at: timestamp.nullable().meta({ description: 'When it was last over.' }),
    }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Alert' });

export const alertListSchema = z.object({ alerts: z.array(alertSchema) }).meta({ id: 'AlertList' });

export type AlertWire = z.output<typeof alertSchema>;
