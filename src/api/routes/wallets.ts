import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Wallet } from '../../domain/wallet.ts';
import type { WalletAdded, WalletInput, WalletService } from '../../services/wallet-service.ts';
import { etagHeader, etagOfVersion, ifMatchHeaders, readIfMatch } from '../entity-tag.ts';
import { bulkExample, newWalletExample, walletExample, walletPageExample } from '../examples.ts';
import { httpFaceOf, toProblem } from '../http-errors.ts';
import { presentWallet } from '../presenters/wallet.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { chainSlug, cursorQuery, limitQuery, nothing, uuid } from '../schemas/common.ts';
import {
  bulkResultSchema,
  bulkWalletsSchema,
  newWalletSchema,
  walletPageSchema,
  walletPatchSchema,
  walletSchema,
} from '../schemas/wallets.ts';
import { NAME_ERRORS, withDeadline } from './upstream.ts';

const theWallet = {
  description: 'The wallet as it is now.',
  schema: walletSchema,
  example: walletExample,
  headers: etagHeader,
} as const;
const walletParams = z.strictObject({ id: uuid });
const LOCATION = { Location: 'Path of the wallet.', ...etagHeader };
/** Wallets of one request that together take a point of the rate limit. */
const WALLETS_A_POINT = 5;

/** Adding, listing, labelling and removing wallets. */
export function createWalletRoutes(wallets: WalletService): readonly Route[] {
  return [
    addRoute(wallets),
    bulkRoute(wallets),
    listRoute(wallets),
    getRoute(wallets),
    patchRoute(wallets),
    deleteRoute(wallets),
  ];
}

function addRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'post',
    path: '/wallets',
    operationId: 'addWallet',
    access: 'write',
    tag: 'Wallets',
    summary: 'Follow a wallet',
    isPatient: true,
    cost: 2,
    description:
      'Adds an address, or the address a name stands for. One that is followed already keeps its id, name and label and gains the chains it lacks.',
    params: nothing,
    query: nothing,
    body: { schema: newWalletSchema, presence: 'required', example: newWalletExample },
    replies: {
      201: { description: 'Added.', schema: walletSchema, example: walletExample, headers: LOCATION },
      200: { description: 'Followed already.', schema: walletSchema, example: walletExample, headers: LOCATION },
    },
    errors: ['quota_exceeded', ...NAME_ERRORS],
    handler: async ({ tenantId, body, signal }) => {
      const { wallet, created } = await wallets.add(tenantId, toInput(body), withDeadline(signal()));
      return tellWallet(wallet, created ? 201 : 200, { Location: `/api/v1/wallets/${wallet.id}` });
    },
  });
}

function bulkRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'post',
    path: '/wallets/bulk',
    operationId: 'addWallets',
    access: 'write',
    tag: 'Wallets',
    summary: 'Follow up to 1,000 wallets',
    isPatient: true,
    description:
      'Each wallet has a result of its own, in order: one that cannot be added spoils no other. A request that does not fit the schema is refused whole. Every 5 wallets take 1 point more.',
    cost: 2,
    params: nothing,
    query: nothing,
    body: { schema: bulkWalletsSchema, presence: 'required', example: { wallets: [newWalletExample, { address: '0x1234' }] } },
    replies: { 200: { description: 'A result for each wallet.', schema: bulkResultSchema, example: bulkExample } },
    errors: [],
    handler: async ({ tenantId, body, signal, charge, ...context }) => {
      await charge(Math.floor(body.wallets.length / WALLETS_A_POINT));
      const outcomes = await wallets.addMany(tenantId, body.wallets.map(toInput), withDeadline(signal()));
      const results = outcomes.map((outcome, index) => presentOutcome(outcome, index, context));
      const count = (isCounted: (status: number) => boolean): number => results.filter(({ status }) => isCounted(status)).length;
      return reply(200, {
        results,
        created: count((status) => status === 201),
        existing: count((status) => status === 200),
        failed: count((status) => status >= 400),
      });
    },
  });
}

function listRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'get',
    path: '/wallets',
    operationId: 'listWallets',
    access: 'read:values',
    tag: 'Wallets',
    summary: 'List the wallets',
    description: 'In the order they were added.',
    params: nothing,
    query: z.strictObject({ limit: limitQuery, cursor: cursorQuery, chain: chainSlug.optional() }),
    body: noBody,
    replies: { 200: { description: 'A page of wallets.', schema: walletPageSchema, example: walletPageExample } },
    errors: ['unknown_chain'],
    handler: async ({ tenantId, query, pages }) => {
      const { encode, decode } = pages({ list: 'wallets', chain: query.chain ?? null });
      const after = decode(query.cursor, cursorPlace);
      const page = await wallets.list(tenantId, {
        limit: query.limit,
        after: after === null ? null : { createdAt: new Date(after.created_at), id: after.id },
        chain: query.chain ?? null,
      });
      const next = page.next;
      return reply(200, {
        wallets: page.wallets.map(presentWallet),
        next_cursor: next === null ? null : encode({ created_at: next.createdAt.toISOString(), id: next.id }),
      });
    },
  });
}

const cursorPlace = z.strictObject({ created_at: z.iso.datetime(), id: z.uuid() });

function getRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'get',
    path: '/wallets/{id}',
    operationId: 'getWallet',
    access: 'read:values',
    tag: 'Wallets',
    summary: 'Read a wallet',
    params: walletParams,
    query: nothing,
    body: noBody,
    replies: { 200: { ...theWallet, description: 'The wallet.' } },
    errors: ['wallet_not_found'],
    handler: async ({ tenantId, params }) => tellWallet(await wallets.get(tenantId, params.id), 200),
  });
}

function patchRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'patch',
    path: '/wallets/{id}',
    operationId: 'labelWallet',
    access: 'write',
    tag: 'Wallets',
    summary: 'Label a wallet',
    params: walletParams,
    query: nothing,
    body: { schema: walletPatchSchema, presence: 'required', example: { label: 'Cold wallet' } },
    requestHeaders: ifMatchHeaders,
    replies: { 200: theWallet },
    errors: ['wallet_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params, body, header }) => {
      const change = { label: body.label, ifVersion: readIfMatch(header('if-match')) };
      return tellWallet(await wallets.setLabel(tenantId, params.id, change), 200);
    },
  });
}

function deleteRoute(wallets: WalletService): Route {
  return defineRoute({
    method: 'delete',
    path: '/wallets/{id}',
    operationId: 'deleteWallet',
    access: 'write',
    tag: 'Wallets',
    summary: 'Stop following a wallet',
    description:
      'Its stored balances and its transactions go with it. What it was worth stays in the history, which shows it leaving; added again, it goes on there.',
    params: walletParams,
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'Gone.', schema: null, example: null } },
    requestHeaders: ifMatchHeaders,
    errors: ['wallet_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params, header }) => {
      await wallets.delete(tenantId, params.id, readIfMatch(header('if-match')));
      return reply(204, null);
    },
  });
}

function tellWallet<const Status extends 200 | 201>(
  wallet: Wallet,
  status: Status,
  headers: Readonly<Record<string, string>> = {},
) {
  const body = presentWallet(wallet);
  return reply(status, body, { ...headers, ...etagOfVersion(wallet.version, body) });
}

function toInput({ address, chain, label }: z.output<typeof newWalletSchema>): WalletInput {
  return { address, chains: typeof chain === 'string' ? [chain] : (chain ?? null), label: label ?? null };
}

type BulkEntry = z.output<typeof bulkResultSchema>['results'][number];

function presentOutcome(
  outcome: WalletAdded | AppError,
  index: number,
  context: { readonly instance: string; readonly requestId: string },
): BulkEntry {
  if (outcome instanceof AppError) {
    const { status } = httpFaceOf(outcome.code);
    return { index, status, wallet: null, error: toProblem(outcome, context) };
  }
  return { index, status: outcome.created ? 201 : 200, wallet: presentWallet(outcome.wallet), error: null };
}
