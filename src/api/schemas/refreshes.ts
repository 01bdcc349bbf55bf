import { z } from 'zod';
import { chainSlug, sourceError, timestamp, uuid } from './common.ts';

export const refreshScopeSchema = z
  .strictObject({
    wallet_ids: z.array(uuid).min(1).max(1000).nullable().optional().meta({ description: 'All wallets unless given.' }),
    chains: z.array(chainSlug).min(1).max(50).nullable().optional().meta({ description: 'All chains unless given.' }),
  })
  .meta({ id: 'RefreshScope' });

export const refreshSchema = z
  .object({
    id: uuid,
    status: z.enum(['running', 'finished', 'interrupted']).meta({
      description: '`finished`: every source had its turn, not that every source succeeded.',
    }),
    scope: z.object({ wallet_ids: z.array(uuid).nullable(), chains: z.array(chainSlug).nullable() }),
    started_at: timestamp,
    finished_at: timestamp.nullable(),
    progress: z.object({ done: z.int(), total: z.int() }),
    sources: z.array(
      z.object({
        wallet_id: uuid,
        chain: chainSlug,
        kind: z.enum(['balances', 'stake']),
        status: z.enum(['pending', 'ok', 'failed', 'unsupported']),
        error: sourceError.nullable(),
      }),
    ),
  })
  .meta({ id: 'Refresh' });

export type RefreshWire = z.output<typeof refreshSchema>;
