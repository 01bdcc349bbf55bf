import { hash } from 'node:crypto';
import { z } from 'zod';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { EntryFault, EntryInput } from '../../domain/ledger/entry-input.ts';
import type { ImportReport } from '../../services/ledger/import-csv.ts';
import type { TransactionPlace, TransactionQuery, TransactionService } from '../../services/ledger/transaction-service.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { presentTransaction, presentTransactionPage, transactionTable } from '../presenters/transaction.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import {
  addedTransactionsSchema,
  type ImportReportWire,
  importQuery,
  importReportSchema,
  type NewTransactionWire,
  newTransactionsSchema,
  transactionPageSchema,
  transactionsQuery,
} from '../schemas/transactions.ts';
import { toMoment } from '../to-moment.ts';
import {
  addedTransactionsExample,
  importFileExample,
  importReportExample,
  newTransactionsExample,
  refusedImportExample,
  transactionPageExample,
} from '../transaction-examples.ts';
import { createOneTransactionRoutes } from './one-transaction.ts';

type TransactionRouteDeps = { readonly transactions: TransactionService; readonly chains: ChainsBySlug };

/** Entries of one request that together take a point of the rate limit, and lines of a file. */
const ENTRIES_A_POINT = 50;
const LINES_A_POINT = 100;

/** Reading the ledger, and writing down what no chain tells. */
export function createTransactionRoutes(deps: TransactionRouteDeps): readonly Route[] {
  return [listRoute(deps), addRoute(deps), importRoute(deps), ...createOneTransactionRoutes(deps)];
}

function listRoute({ transactions, chains }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/transactions',
    operationId: 'listTransactions',
    access: 'read:values',
    tag: 'Portfolio',
    summary: 'List what moved',
    description:
      'Newest first: what was read from the chains, entered by hand or imported, with its fees as entries of their own; and, marked as `derived`, what the amounts of snapshots show and no entry explains. Transfers are classified by the wallets that are followed now. As CSV, the cursor of the next page stands in the last row.',
    params: nothing,
    query: transactionsQuery,
    body: noBody,
    replies: {
      200: {
        description: 'A page of transactions.',
        schema: transactionPageSchema,
        example: transactionPageExample,
        csv: transactionTable,
      },
    },
    isCached: true,
    errors: ['wallet_not_found', 'unknown_chain', 'asset_not_found'],
    handler: async ({ tenantId, query, pages }) => {
      const asked = toQuery(query);
      // All that a cursor is good for, however long the lists of ids are.
      const { limit: _, cursor: __, ...filters } = query;
      const { encode, decode } = pages({ list: 'transactions', filters: hash('sha256', JSON.stringify(filters), 'base64url') });
      const after = decode(query.cursor, cursorPlace);
      const page = await transactions.list(tenantId, { ...asked, after: after && toPlace(after), limit: query.limit });
      const { next } = page;
      const nextCursor = next === null ? null : encode({ at: next.at.toISOString(), id: next.id });
      return reply(200, presentTransactionPage(page, { chains, nextCursor }));
    },
  });
}

const cursorPlace = z.strictObject({
  at: z.iso.datetime(),
  id: z
    .string()
    .max(120)
    .regex(/^(~[\w/-]+|[0-9a-f-]{36})$/),
});

function toPlace({ at, id }: z.output<typeof cursorPlace>): TransactionPlace {
  return { at: new Date(at), id };
}

function toQuery(query: z.output<typeof transactionsQuery>): Omit<TransactionQuery, 'after' | 'limit'> {
  const momentOf = (name: 'from' | 'to'): Date | null => {
    const text = query[name];
    return text === undefined ? null : toMoment(text, { name, timeZone: query.tz });
  };
  return {
    from: momentOf('from'),
    to: momentOf('to'),
    walletIds: query.wallet_id ?? null,
    chains: query.chain ?? null,
    assetIds: query.asset_id ?? null,
    types: query.type ?? null,
    origins: query.origin ?? null,
  };
}

function addRoute({ transactions, chains }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/transactions',
    operationId: 'addTransactions',
    access: 'write',
    tag: 'Portfolio',
    summary: 'Enter up to 1,000 transactions by hand',
    description: `All are added or none. What the amounts of snapshots do not show as well is told as \`unexplained\` beside it. Every ${ENTRIES_A_POINT} entries take 1 point more.`,
    cost: 2,
    params: nothing,
    query: nothing,
    body: { schema: newTransactionsSchema, presence: 'required', example: newTransactionsExample },
    replies: {
      201: { description: 'All were added.', schema: addedTransactionsSchema, example: addedTransactionsExample },
    },
    errors: ['duplicate_transaction', 'conflict'],
    handler: async ({ tenantId, body, charge }) => {
      await charge(Math.floor(body.transactions.length / ENTRIES_A_POINT));
      const outcome = await transactions.add(tenantId, body.transactions.map(toInput));
      if (outcome.status === 'added') {
        return reply(201, { transactions: outcome.transactions.map((added) => presentTransaction(added, chains)) });
      }
      const { faults, duplicates } = outcome;
      throw faults.length > 0
        ? refuse('invalid_request', 'Some of these cannot be added, so none was.', faults)
        : refuse('duplicate_transaction', 'Some of these are there already, so none was added.', duplicates);
    },
  });
}

function refuse(code: ErrorCode, detail: string, faults: readonly EntryFault[]): AppError {
  const issues = faults.map(({ index, field, code: kind, message }) => ({
    pointer: `/body/transactions/${index}/${field}`,
    code: kind,
    message,
  }));
  return new AppError(code, issues.length === 1 ? (issues[0]?.message ?? detail) : detail, { issues });
}

function toInput(entry: NewTransactionWire): EntryInput {
  const { wallet_id: walletId, asset_id: assetId, chain = '', token_address: address = null, price = null } = entry;
  return {
    walletId: walletId.toLowerCase(),
    asset: assetId ?? { chain, address },
    type: entry.type,
    amount: entry.amount,
    occurredAt: new Date(entry.occurred_at),
    price: price === null ? null : { value: price.value, currency: price.currency.toUpperCase() },
    note: entry.note ?? null,
    reference: entry.reference ?? null,
  };
}

function importRoute({ transactions }: TransactionRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/transactions/import',
    operationId: 'importTransactions',
    access: 'write',
    tag: 'Portfolio',
    summary: 'Import transactions from a CSV file',
    description: `The first line names the columns: \`wallet_id\`, \`type\`, \`amount\` and \`occurred_at\`; \`asset_id\`, or \`chain\` with \`token_address\`; and as you like \`price\`, \`currency\`, \`note\` and \`reference\`, all as in \`POST /transactions\`. UTF-8, commas, up to 10,000 lines and 2 MB. Lines that are there already are told and left out; when any line is bad nothing is added. Every ${LINES_A_POINT} lines take 1 point more.`,
    cost: 5,
    params: nothing,
    query: importQuery,
    body: { schema: z.string(), presence: 'required', mediaType: 'text/csv', example: importFileExample },
    replies: {
      200: {
        description: 'What a real run would do.',
        schema: importReportSchema,
        example: { ...importReportExample, dry_run: true },
      },
      201: { description: 'The file was imported.', schema: importReportSchema, example: importReportExample },
      422: { description: 'Nothing was added: lines are bad.', schema: importReportSchema, example: refusedImportExample },
    },
    errors: [],
    handler: async ({ tenantId, query, body, charge }) => {
      await charge(Math.floor(body.split('\n', MAX_COUNTED_LINES).length / LINES_A_POINT));
      const isDryRun = query.dry_run === 'true';
      const report = presentReport(await transactions.importCsv(tenantId, body, { timeZone: query.tz, isDryRun }));
      if (isDryRun) return reply(200, report);
      return report.errors.length > 0 ? reply(422, report) : reply(201, report);
    },
  });
}

/** More than a file may have. */
const MAX_COUNTED_LINES = 10_100;

function presentReport({ isDryRun, lineCount, addedCount, known, faults }: ImportReport): ImportReportWire {
  return {
    dry_run: isDryRun,
    lines: lineCount,
    added: addedCount,
    known: known.map(({ line, reference }) => ({ line, reference })),
    errors: faults.map(({ line, column, code, message }) => ({ line, column, code, message })),
  };
}
