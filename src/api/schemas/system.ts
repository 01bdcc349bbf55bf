import { z } from 'zod';
import { chainSlug, sourceError, timestamp } from './common.ts';

export const chainSchema = z
  .object({
    slug: chainSlug,
    name: z.string(),
    family: z.enum(['evm', 'solana']),
    caip2: z.string().meta({ example: 'eip155:1' }),
    native_asset: z.object({ asset_id: z.string(), symbol: z.string(), name: z.string(), decimals: z.int() }),
    enabled: z.boolean().meta({ description: 'Whether an endpoint is configured for it.' }),
    endpoints: z.array(z.string()).meta({ description: 'Names of its endpoints, in order of preference. Never a whole URL.' }),
  })
  .meta({ id: 'Chain' });

export const chainsSchema = z.object({ chains: z.array(chainSchema) }).meta({ id: 'Chains' });

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']).meta({
      description:
        '`degraded`: a chain or a price source in use cannot be read, or a cache, the queue or a schedule fails. `down`: the database cannot be reached.',
    }),
    version: z.string(),
    started_at: timestamp,
    parts: z.array(
      z.object({
        name: z.string().meta({ example: 'chain:ethereum' }),
        status: z.enum(['ok', 'degraded', 'down', 'unknown']),
        checked_at: timestamp.nullable(),
        error: sourceError.nullable(),
        block: z.int().min(0).nullable().meta({ description: 'Newest block or slot seen, for chains.' }),
        in_use: z.boolean().meta({
          description: 'Whether anything depends on it. A chain that no wallet follows is looked at once, at the start.',
        }),
      }),
    ),
  })
  .meta({ id: 'Health' });

export const metricsSchema = z.string().meta({ id: 'Metrics' });

export type ChainWire = z.output<typeof chainSchema>;
export type HealthWire = z.output<typeof healthSchema>;
