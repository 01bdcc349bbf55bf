import { z } from 'zod';
import { isTimeZone } from '../../domain/history/chart-intervals.ts';
import { chainSlug, uuid } from './common.ts';

/** A moment with its offset, or a date, which stands for its beginning in the zone of the request. */
export const momentInput = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], { error: 'Give RFC 3339 with an offset, or a date.' })
  .meta({ description: 'RFC 3339, or a date: the beginning of that day in `tz`.', example: '2026-11-01' });

export const timeZoneInput = z
  .string()
  .max(64)
  .refine(isTimeZone, 'This is no time zone of the IANA database.')
  .default('UTC')
  .meta({ description: 'IANA time zone whose days, weeks (from Monday) and months are meant.', example: 'Europe/Berlin' });

export const currencyInput = z
  .string()
  .max(5)
  .regex(/^[A-Za-z]{3,5}$/, 'Give a currency code such as EUR.')
  .default('USD');

/** A UUID or a CAIP-19 id. */
export const assetReference = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w.:/%-]+$/, 'Give the UUID or the CAIP-19 id of an asset.')
  .meta({ example: 'eip155:1/slip44:60' });

/** What of the past is asked for. */
export const pastScope = {
  wallet_id: z
    .array(uuid)
    .max(100)
    .optional()
    .meta({ description: 'Only these wallets, also those that are followed no more: repeat it, or separate with commas.' }),
  chain: z.array(chainSlug).max(50).optional().meta({ description: 'Only these chains: repeat it, or separate with commas.' }),
  asset_id: z
    .array(assetReference)
    .max(100)
    .optional()
    .meta({ description: 'Only these assets, by UUID or CAIP-19 id: repeat it, or separate with commas.' }),
} as const;
