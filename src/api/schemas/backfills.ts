import { z } from 'zod';
import { chainSlug, sourceError, timestamp, uuid } from './common.ts';

const day = z.iso.date().meta({ description: 'A day of UTC.', example: '2025-11-21' });

export const newBackfillSchema = z
  .strictObject({
    from: day.meta({ description: 'The first day to be read, of UTC. It must have ended.' }),
    interval: z.literal('day').optional().meta({ description: 'What is written down is the end of each day.' }),
  })
  .meta({ id: 'NewBackfill' });

export const backfillSchema = z
  .object({
    wallet_id: uuid,
    status: z.enum(['running', 'finished', 'cancelled']).meta({
      description: '`finished`: every chain came as far as it could, not that every chain came to the first day.',
    }),
    interval: z.literal('day'),
    from: day.meta({ description: 'The first day that was asked for.' }),
    through: day.nullable().meta({ description: 'The last day that was not known before; null when none was missing.' }),
    progress: z.object({ done: z.int(), total: z.int() }).meta({ description: 'Days, from the last to the first.' }),
    started_at: timestamp,
    finished_at: timestamp.nullable(),
    unpriced_count: z
      .int()
      .meta({ description: 'Prices that no source told, over all assets and days: there the last one before is told, or none.' }),
    price_error: z.string().nullable().meta({ description: 'Why prices could not be asked for; null when they could.' }),
    chains: z.array(
      z.object({
        chain: chainSlug,
        status: z.enum(['pending', 'ok', 'failed', 'unsupported']).meta({
          description: '`unsupported`: the chain tells no past, or none of its endpoints keeps what is left of it.',
        }),
        reached: day.nullable().meta({ description: 'The earliest day that was read.' }),
        error: sourceError.nullable(),
      }),
    ),
  })
  .meta({ id: 'Backfill' });

export type BackfillWire = z.output<typeof backfillSchema>;
