import { z } from 'zod';
import { ENDPOINT_STATES } from '../../lib/json-rpc/pool/endpoint-state.ts';
import { chainSlug, timestamp } from './common.ts';

const endpointSchema = z
  .object({
    name: z.string().meta({ description: 'Its host, with what could be a key cut out.', example: 'ethereum-rpc.publicnode.com' }),
    state: z.enum(ENDPOINT_STATES).meta({
      description:
        '`lagging`: behind the others, or its newest block stands still. `limited`: it asked for a pause, or its budget has no room. `probing`: on its way back, until several probes in a row were good.',
    }),
    since: timestamp,
    head: z.int().min(0).nullable().meta({ description: 'Newest block or slot that it told.' }),
    lag_blocks: z.int().min(0).nullable().meta({ description: 'Blocks behind the best endpoint of the chain, when last asked.' }),
    breaker: z.enum(['closed', 'open', 'half_open']).meta({ description: '`open`: it is asked nothing but probes.' }),
    failures: z.int().min(0).meta({ description: 'Grows by one with a failure, shrinks by one with a success.' }),
    rate_limit_rps: z
      .number()
      .min(0)
      .meta({ description: 'Requests a second that it has shown to bear, or its budget if that is less.' }),
    budget: z
      .object({
        per_second: z.number().min(0).nullable(),
        per_day: z.int().min(0).nullable(),
        used_today: z.int().min(0).meta({ description: 'Calls since midnight UTC or the start of this process.' }),
      })
      .meta({ description: "This process's part of `RPC_BUDGETS`; null: no bound." }),
    latency_p95_ms: z.int().min(0).nullable(),
    last_error: z.object({ code: z.string(), at: timestamp }).nullable(),
    in_use: z.boolean().meta({ description: 'Whether its chain was read in the last minutes. Only then is it probed.' }),
    last_usable: z.boolean().meta({ description: 'No other endpoint of its chain is of use, so that this one is kept.' }),
  })
  .meta({ id: 'Endpoint' });

export const providersSchema = z
  .object({ providers: z.array(z.object({ chain: chainSlug, endpoints: z.array(endpointSchema) })) })
  .meta({ id: 'Providers' });

export type EndpointWire = z.output<typeof endpointSchema>;
export type ProvidersWire = z.output<typeof providersSchema>;
