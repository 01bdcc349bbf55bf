import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events/event.ts';
import { rawAmount, timestamp, uuid } from './common.ts';
import { portfolioSchema, sourceSchema } from './portfolio.ts';

/** What a stream can be asked for. */
const STREAM_TYPES = [...EVENT_TYPES, 'portfolio'] as const;

export const eventsQuery = z.strictObject({
  types: z.array(z.enum(STREAM_TYPES)).max(STREAM_TYPES.length).optional().meta({
    description: 'Only these, beside the snapshot: repeat it, or separate with commas.',
  }),
  last_event_id: z.string().max(64).optional().meta({
    description: 'For clients that cannot set `Last-Event-ID`, which wins where both are sent.',
  }),
});

export const eventsHeaders = z.object({
  'Last-Event-ID': z.string().optional().meta({
    description:
      'The `id` of the last event that you have: the stream goes on from there. Browsers send it by themselves when they come back.',
  }),
});

/** An event that is kept, in a stream, a list or a webhook. */
export const eventSchema = z
  .object({
    id: uuid.meta({ description: 'The same wherever and however often the event is told.' }),
    seq: rawAmount.meta({ description: 'Rises by one from event to event.' }),
    type: z.enum(EVENT_TYPES),
    occurred_at: timestamp,
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event', description: 'Something that happened.' });

const totals = portfolioSchema.pick({
  currency: true,
  total_usd_value: true,
  complete: true,
  incomplete_reasons: true,
  unpriced_count: true,
  stale_value_share: true,
  as_of: true,
  generated_at: true,
});

/** What a portfolio comes to. */
export const portfolioEventSchema = totals
  .extend({ version: z.string().meta({ description: 'Opaque; the same for the same data only.' }) })
  .meta({ id: 'PortfolioEvent' });

/** How things stand when a stream begins. */
export const snapshotEventSchema = z
  .object({
    ...portfolioEventSchema.shape,
    source_counts: z.record(sourceSchema.shape.status, z.int()).meta({ description: 'By status.' }),
    sources: z.array(sourceSchema).meta({ description: 'Those that are not `ok`, 100 at most.' }),
  })
  .meta({ id: 'SnapshotEvent' });

export const eventStreamSchema = z.string().meta({ description: 'Server-sent events; see the example.' });

export type EventWire = z.output<typeof eventSchema>;
export type PortfolioEventWire = z.output<typeof portfolioEventSchema>;
export type SnapshotEventWire = z.output<typeof snapshotEventSchema>;
