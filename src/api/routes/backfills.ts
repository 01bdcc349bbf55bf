import { z } from 'zod';
import type { Backfill } from '../../domain/history/backfill.ts';
import type { BackfillService } from '../../services/past/backfill-service.ts';
import { presentBackfill } from '../presenters/backfill.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { type BackfillWire, backfillSchema, newBackfillSchema } from '../schemas/backfills.ts';
import { nothing, uuid } from '../schemas/common.ts';

const params = z.strictObject({ id: uuid });
const PATH = '/wallets/{id}/backfill';
const BACKFILL_COST = 20;
const RETRY_AFTER_SECONDS = '2';
const RETRY = { 'Retry-After': 'Seconds after which it is worth to look again.' };

const runningExample: BackfillWire = {
  wallet_id: '0198b000-0000-7000-8000-000000000001',
  status: 'running',
  interval: 'day',
  from: '2025-11-21',
  through: '2026-11-20',
  progress: { done: 45, total: 365 },
  started_at: '2026-11-21T12:00:00.000Z',
  finished_at: null,
  unpriced_count: 3,
  price_error: null,
  chains: [
    { chain: 'ethereum', status: 'pending', reached: '2026-10-07', error: null },
    { chain: 'base', status: 'unsupported', reached: null, error: { code: 'upstream_no_history', provider: 'rpc.example' } },
  ],
};

/** The past of a wallet, from before it was followed. */
export function createBackfillRoutes(backfills: BackfillService): readonly Route[] {
  return [startRoute(backfills), getRoute(backfills), cancelRoute(backfills)];
}

function startRoute(backfills: BackfillService): Route {
  return defineRoute({
    method: 'post',
    path: PATH,
    operationId: 'startBackfill',
    access: 'write',
    tag: 'Wallets',
    summary: 'Read the past of a wallet',
    cost: BACKFILL_COST,
    description:
      'Reads what the wallet held at the end of each day (UTC) before it was followed, newest day first, from endpoints that keep the past of their chain, with the prices of those days. It goes on by itself; asking again for the same day joins it.',
    params,
    query: nothing,
    body: { schema: newBackfillSchema, presence: 'required', example: { from: '2025-11-21' } },
    replies: {
      202: {
        description: 'It goes on, or has nothing to do.',
        schema: backfillSchema,
        example: runningExample,
        headers: { Location: 'Path of its progress.', ...RETRY },
      },
    },
    errors: ['wallet_not_found', 'conflict'],
    handler: async ({ tenantId, params: { id }, body }) => {
      const backfill = await backfills.start(tenantId, id, body.from);
      return reply(202, presentBackfill(backfill), {
        Location: `/api/v1/wallets/${id}/backfill`,
        'Retry-After': RETRY_AFTER_SECONDS,
      });
    },
  });
}

function getRoute(backfills: BackfillService): Route {
  return defineRoute({
    method: 'get',
    path: PATH,
    operationId: 'getBackfill',
    access: 'read:values',
    tag: 'Wallets',
    summary: 'Follow the reading of the past of a wallet',
    params,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'The last one of the wallet.', schema: backfillSchema, example: runningExample, headers: RETRY },
    },
    errors: ['wallet_not_found', 'backfill_not_found'],
    handler: async ({ tenantId, params: { id } }) => toReply(await backfills.get(tenantId, id)),
  });
}

function cancelRoute(backfills: BackfillService): Route {
  return defineRoute({
    method: 'delete',
    path: PATH,
    operationId: 'cancelBackfill',
    access: 'write',
    tag: 'Wallets',
    summary: 'Stop reading the past of a wallet',
    description: 'What was read stays. One that has ended stays as it is.',
    params,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'As it is now.', schema: backfillSchema, example: { ...runningExample, status: 'cancelled' } },
    },
    errors: ['wallet_not_found', 'backfill_not_found'],
    handler: async ({ tenantId, params: { id } }) => reply(200, presentBackfill(await backfills.cancel(tenantId, id))),
  });
}

function toReply(backfill: Backfill): { status: 200; body: BackfillWire; headers: Readonly<Record<string, string>> } {
  const headers: Record<string, string> = backfill.status === 'running' ? { 'Retry-After': RETRY_AFTER_SECONDS } : {};
  return { status: 200, body: presentBackfill(backfill), headers };
}
