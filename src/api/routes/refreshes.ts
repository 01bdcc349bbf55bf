import { z } from 'zod';
import type { Refresh } from '../../domain/refresh.ts';
import type { RefreshService } from '../../services/refresh-service.ts';
import { finishedRefreshExample, runningRefreshExample } from '../examples.ts';
import { parsePrefer, type WaitPreference } from '../prefer.ts';
import { presentRefresh } from '../presenters/refresh.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing, uuid } from '../schemas/common.ts';
import { type RefreshWire, refreshSchema, refreshScopeSchema } from '../schemas/refreshes.ts';

const idParams = z.strictObject({ id: uuid });
const RETRY_AFTER_SECONDS = '1';
const REFRESH_COST = 10;
const preferHeader = z.object({
  prefer: z.string().optional().meta({
    description:
      'RFC 7240: `wait=N` waits up to N seconds for the end (10 unless given, 60 at most), `respond-async` not at all.',
    example: 'wait=30',
  }),
});
const APPLIED = { 'Preference-Applied': 'What came of `Prefer`, when it was understood.' };
const RETRY = { 'Retry-After': 'Seconds after which it is worth to look again.' };

const refreshReplies = {
  200: { description: 'The refresh has ended.', schema: refreshSchema, example: finishedRefreshExample, headers: APPLIED },
  202: {
    description: 'The refresh goes on.',
    schema: refreshSchema,
    example: runningRefreshExample,
    headers: { Location: 'Path of the refresh.', ...RETRY, ...APPLIED },
  },
} as const;

/** Reading the chains anew. */
export function createRefreshRoutes(refreshes: RefreshService): readonly Route[] {
  return [fetchRoute(refreshes), portfolioRoute(refreshes), getRoute(refreshes)];
}

function fetchRoute(refreshes: RefreshService): Route {
  return defineRoute({
    method: 'post',
    path: '/wallets/{id}/fetch',
    operationId: 'fetchWallet',
    access: 'write',
    tag: 'Wallets',
    summary: 'Read the balances of a wallet from its chains',
    cost: REFRESH_COST,
    isPatient: true,
    description:
      'Starts a refresh, or joins the one that is reading the same already, and waits for it. It goes on when you stop waiting.',
    requestHeaders: preferHeader,
    params: idParams,
    query: nothing,
    body: noBody,
    replies: refreshReplies,
    errors: ['wallet_not_found'],
    handler: async ({ tenantId, params, header, signal }) => {
      const preference = parsePrefer(header('prefer'));
      const scope = { walletIds: [params.id], chains: null };
      return toReply(await refreshes.refresh(tenantId, scope, { waitMs: preference.waitMs, signal: signal() }), preference);
    },
  });
}

function portfolioRoute(refreshes: RefreshService): Route {
  return defineRoute({
    method: 'post',
    path: '/portfolio/refresh',
    operationId: 'refreshPortfolio',
    access: 'write',
    tag: 'Portfolio',
    summary: 'Read the balances of many wallets from their chains',
    cost: REFRESH_COST,
    isPatient: true,
    description:
      'Starts a refresh, or joins the one that is reading the same already, and waits for it. It goes on when you stop waiting.',
    requestHeaders: preferHeader,
    params: nothing,
    query: nothing,
    body: { schema: refreshScopeSchema, presence: 'optional', example: { chains: ['ethereum'] } },
    replies: refreshReplies,
    errors: ['wallet_not_found', 'unknown_chain'],
    handler: async ({ tenantId, body, header, signal }) => {
      const preference = parsePrefer(header('prefer'));
      const scope = { walletIds: body.wallet_ids ?? null, chains: body.chains ?? null };
      return toReply(await refreshes.refresh(tenantId, scope, { waitMs: preference.waitMs, signal: signal() }), preference);
    },
  });
}

function getRoute(refreshes: RefreshService): Route {
  return defineRoute({
    method: 'get',
    path: '/refreshes/{id}',
    operationId: 'getRefresh',
    access: 'read:values',
    tag: 'Portfolio',
    summary: 'Follow a refresh',
    params: idParams,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'The refresh.', schema: refreshSchema, example: runningRefreshExample, headers: RETRY } },
    errors: ['refresh_not_found'],
    handler: async ({ tenantId, params }) => {
      const refresh = await refreshes.get(tenantId, params.id);
      const headers: Record<string, string> = refresh.status === 'running' ? { 'Retry-After': RETRY_AFTER_SECONDS } : {};
      return reply(200, presentRefresh(refresh), headers);
    },
  });
}

function toReply(
  refresh: Refresh,
  { applied }: WaitPreference,
): { status: 200 | 202; body: RefreshWire; headers: Readonly<Record<string, string>> } {
  const headers: Record<string, string> = applied === null ? {} : { 'Preference-Applied': applied };
  if (refresh.status !== 'running') return { status: 200, body: presentRefresh(refresh), headers };
  headers.Location = `/api/v1/refreshes/${refresh.id}`;
  headers['Retry-After'] = RETRY_AFTER_SECONDS;
  return { status: 202, body: presentRefresh(refresh), headers };
}
