import { z } from 'zod';
import { chainSlug, timestamp, uuid } from './common.ts';

export const snapshotGrade = z.enum(['full', 'partial']).meta({
  description: '`full`: every source had been read lately and well. `partial`: `missing` names those that had not.',
});

export const missingSource = z
  .object({
    wallet_id: uuid.nullable(),
    chain: chainSlug.nullable(),
    kind: z.enum(['balances', 'stake', 'prices']).meta({
      description: '`prices`: some prices were old, the oldest of `observed_at`; they belong to no wallet and no chain.',
    }),
    reason: z.enum(['stale', 'failed', 'never', 'unsupported']),
    observed_at: timestamp.nullable().meta({ description: 'When its amounts were last read; null when there are none.' }),
    code: z.string().nullable().meta({ description: 'Of the failure.' }),
  })
  .meta({ id: 'MissingSource', description: 'A source that could not be relied on. Its last good amounts are carried.' });

export type MissingSourceWire = z.output<typeof missingSource>;
