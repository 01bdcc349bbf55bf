import { z } from 'zod';
import type { EntryPatch, VersionedTransaction } from '../../services/ledger/change-entry.ts';
import type { TransactionService } from '../../services/ledger/transaction-service.ts';
import { etagHeader, etagOfVersion, ifMatchHeaders, readIfMatch } from '../entity-tag.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { presentTransaction } from '../presenters/transaction.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing, uuid } from '../schemas/common.ts';
import { transactionPatchSchema, transactionSchema } from '../schemas/transactions.ts';
import { transactionExample } from '../transaction-examples.ts';

type TransactionRouteDeps = { readonly transactions: TransactionService; readonly chains: ChainsBySlug };

const params = z.strictObject({ id: uuid });
const theTransaction = {
  description: 'The transaction as it is now.',
  schema: transactionSchema,
  example: transactionExample,
  headers: etagHeader,
} as const;

/** Reading, mending and taking away what is in the ledger. What is derived has no id, and so is only listed. */
export function createOneTransactionRoutes(deps: TransactionRouteDeps): readonly Route[] {
  return [getRoute(deps), patchRoute(deps), deleteRoute(deps)];
}

function getRoute({ transactions, chains }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/transactions/{id}',
    operationId: 'getTransaction',
    access: 'read:values',
    tag: 'Portfolio',
    summary: 'Read a transaction',
    params,
    query: nothing,
    body: noBody,
    replies: { 200: theTransaction },
    errors: ['transaction_not_found'],
    handler: async ({ tenantId, params: { id } }) => tell(await transactions.get(tenantId, id), chains),
  });
}

function patchRoute({ transactions, chains }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'patch',
    path: '/transactions/{id}',
    operationId: 'updateTransaction',
    access: 'write',
    tag: 'Portfolio',
    summary: 'Change the note, the price or the time of a transaction',
    description: 'One that was entered by hand or imported from a file. What was read from a chain stays as it is.',
    params,
    query: nothing,
    requestHeaders: ifMatchHeaders,
    body: { schema: transactionPatchSchema, presence: 'required', example: { note: 'From the exchange' } },
    replies: { 200: theTransaction },
    errors: ['transaction_not_found', 'transaction_from_chain', 'duplicate_transaction', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, body, header }) => {
      const change = { id, ifVersion: readIfMatch(header('if-match')), patch: toPatch(body) };
      return tell(await transactions.update(tenantId, change), chains);
    },
  });
}

function deleteRoute({ transactions }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'delete',
    path: '/transactions/{id}',
    operationId: 'deleteTransaction',
    access: 'write',
    tag: 'Portfolio',
    summary: 'Take a transaction away',
    description: 'One that was entered by hand or imported from a file. What was read from a chain stays.',
    params,
    query: nothing,
    requestHeaders: ifMatchHeaders,
    body: noBody,
    replies: { 204: { description: 'Gone.', schema: null, example: null } },
    errors: ['transaction_not_found', 'transaction_from_chain', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, header }) => {
      await transactions.delete(tenantId, { id, ifVersion: readIfMatch(header('if-match')) });
      return reply(204, null);
    },
  });
}

function tell({ transaction, version }: VersionedTransaction, chains: ChainsBySlug) {
  const body = presentTransaction(transaction, chains);
  return reply(200, body, etagOfVersion(version, body));
}

function toPatch({ note, price, occurred_at: at }: z.output<typeof transactionPatchSchema>): EntryPatch {
  return {
    ...(note === undefined ? {} : { note }),
    ...(at === undefined ? {} : { occurredAt: new Date(at) }),
    ...(price === undefined ? {} : { price: price && { value: price.value, currency: price.currency.toUpperCase() } }),
  };
}
