import { z } from 'zod';
import { ENTRY_TYPES } from '../../domain/ledger/ledger.ts';
import {
  assetIdentity,
  chainSlug,
  cursorQuery,
  decimalInput,
  decimalString,
  label,
  limitQuery,
  nextCursor,
  sourceError,
  timestamp,
  uuid,
} from './common.ts';
import { assetReference, currencyInput, momentInput, pastScope, timeZoneInput } from './past-query.ts';

const ORIGINS = ['chain', 'manual', 'csv'] as const;
const TYPES = [...ENTRY_TYPES, 'unexplained', 'opening'] as const;

export const transactionsQuery = z.strictObject({
  from: momentInput.optional().meta({ description: 'Part of the time asked for. By default from the beginning.' }),
  to: momentInput.optional().meta({ description: 'Not part of the time asked for. By default without an end.' }),
  tz: timeZoneInput.meta({ description: 'IANA time zone in which dates begin.' }),
  ...pastScope,
  type: z.array(z.enum(TYPES)).max(TYPES.length).optional().meta({ description: 'Only these types.' }),
  origin: z
    .array(z.enum(ORIGINS))
    .max(ORIGINS.length)
    .optional()
    .meta({ description: 'Only entries from there; what is derived has no origin.' }),
  limit: limitQuery,
  cursor: cursorQuery,
});

const signedAmount = z
  .string()
  .max(160)
  .regex(/^-?\d{1,78}(\.\d{1,80})?$/, 'Give plain digits, with a minus for what went out.')
  .meta({ description: 'In whole units, exact: above zero for what came in, below for what went out.', example: '-0.25' });

const note = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Control characters are not taken.')
  .meta({ description: 'Your own words.' });

const entryTime = z.iso.datetime({ offset: true, message: 'Give RFC 3339 with an offset.' }).max(40);

const entryPrice = z
  .strictObject({ value: decimalInput, currency: currencyInput })
  .meta({ description: 'What one whole cost or brought. Without it, the price that was quoted then counts.' });

const newTransaction = z
  .strictObject({
    wallet_id: uuid,
    asset_id: assetReference
      .optional()
      .meta({ description: 'UUID or CAIP-19 id. Without it `chain` and `token_address` name the asset.' }),
    chain: chainSlug.optional(),
    token_address: z.string().min(1).max(100).nullable().optional().meta({ description: "Null for the chain's own coin." }),
    type: z.enum(ENTRY_TYPES).meta({
      description:
        'Deposits and income are above zero, withdrawals and fees below; each side of a trade or of a move between your wallets is an entry of its own.',
    }),
    amount: signedAmount,
    occurred_at: entryTime,
    price: entryPrice.nullable().optional(),
    note: note.nullable().optional(),
    reference: label.nullable().optional().meta({
      description:
        'Your own id of it, unique within the wallet: what comes again with it is refused. Without one, the same wallet, asset, type, time, amount and price are the same entry.',
    }),
  })
  .refine(
    ({ asset_id: id, chain, token_address: address }) =>
      id === undefined ? chain !== undefined : chain === undefined && address === undefined,
    {
      path: ['asset_id'],
      error: 'Give either `asset_id`, or `chain` with `token_address`.',
    },
  )
  .meta({ id: 'NewTransaction' });

export const newTransactionsSchema = z
  .strictObject({ transactions: z.array(newTransaction).min(1).max(1000) })
  .meta({ id: 'NewTransactions' });

export const transactionPatchSchema = z
  .strictObject({
    note: note.nullable().optional(),
    price: entryPrice.nullable().optional(),
    occurred_at: entryTime.optional(),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Name at least one field to change.')
  .meta({ id: 'TransactionPatch' });

export const transactionSchema = z
  .object({
    id: uuid.nullable().meta({ description: 'Null for what is derived.' }),
    derived: z.boolean().meta({ description: 'Whether it follows from the amounts of two snapshots: no entry tells of it.' }),
    pending: z.boolean().meta({
      description:
        'Of what is `unexplained`: whether the transfers of the wallet have not been read so far yet, such as in the last minutes before blocks are final. They may still explain it.',
    }),
    type: z.enum(TYPES).meta({
      description:
        '`internal`: between two wallets that are followed, when the transfers of both tell it. `trade`: one side of a transaction that took one asset and brought another. `unexplained`: what moved and no entry explains, or an entry that no amount shows. `opening`: what was there when it was first read.',
    }),
    origin: z.enum(ORIGINS).nullable(),
    occurred_at: timestamp.meta({ description: 'What is derived has the time of the snapshot that shows it.' }),
    wallet_id: uuid.meta({ description: 'It may be one that is followed no more.' }),
    ...assetIdentity,
    asset_uuid: uuid,
    decimals: z.int().nullable(),
    amount_raw: z
      .string()
      .regex(/^-?\d+$/)
      .meta({ description: 'In smallest units; below zero for what went out.' }),
    amount: decimalString.nullable().meta({ description: 'In whole units; null when the decimals are not known.' }),
    price: z
      .object({
        value: decimalString,
        currency: z.string(),
        source: z.string().meta({
          description:
            '`entry`: given with it. `manual`: your price of the asset. Else where it was quoted, the last time until then.',
        }),
        quoted_at: timestamp.nullable(),
      })
      .nullable(),
    usd_value: decimalString.nullable().meta({ description: 'Worth then, in US dollars; null when unknown.' }),
    value_reason: z.enum(['decimals_unknown', 'price_missing', 'fx_missing']).nullable(),
    excluded: z.boolean().meta({ description: 'Whether the asset counts as spam, or is held back, and so is part of no total.' }),
    counterparty: z.string().nullable(),
    tx_hash: z
      .string()
      .nullable()
      .meta({ description: 'What has the same one happened together, such as a trade with its fee.' }),
    block: z.int().min(0).nullable().meta({ description: 'Block or slot.' }),
    note: z.string().nullable(),
  })
  .meta({ id: 'Transaction' });

const importReach = z
  .object({
    wallet_id: uuid,
    chain: chainSlug,
    complete: z.boolean().meta({ description: 'Whether all transfers since `from_block` had been read at the last attempt.' }),
    from_block: z
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'What was before is told as `opening`. Null when nothing was read yet.' }),
    through_block: z.int().min(0).nullable(),
    has_native: z.boolean().nullable().meta({ description: "Whether the endpoints told movements of the chain's own coin." }),
    outcome: z.enum(['ok', 'failed', 'unsupported']).nullable().meta({ description: 'Of the last attempt.' }),
    error: sourceError.nullable(),
    attempted_at: timestamp.nullable(),
    age_seconds: z.int().nullable(),
  })
  .meta({ id: 'ImportReach', description: 'How far the transfers of a wallet were read from a chain.' });

export const transactionPageSchema = z
  .object({
    transactions: z.array(transactionSchema),
    complete: z.boolean().meta({ description: 'Whether all of `imports` is complete.' }),
    imports: z.array(importReach),
    generated_at: timestamp,
    next_cursor: nextCursor,
  })
  .meta({ id: 'TransactionPage' });

export const addedTransactionsSchema = z.object({ transactions: z.array(transactionSchema) }).meta({ id: 'AddedTransactions' });

export const importQuery = z.strictObject({
  tz: timeZoneInput.meta({ description: 'IANA time zone of the times in the file that have no offset.' }),
  dry_run: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: '`true`: tells what would be done, and does nothing.' }),
});

export const importReportSchema = z
  .object({
    dry_run: z.boolean(),
    lines: z.int().meta({ description: 'Lines of the file without its header.' }),
    added: z.int().meta({ description: 'Entries that were added, or would be.' }),
    known: z
      .array(z.object({ line: z.int(), reference: z.string().nullable() }))
      .meta({ description: 'Lines that were not added since the same entry is there already.' }),
    errors: z.array(z.object({ line: z.int(), column: z.string().nullable(), code: z.string(), message: z.string() })).meta({
      description: 'What is wrong with which line, counted from 1 with the header. When there is one, nothing is added.',
    }),
  })
  .meta({ id: 'ImportReport' });

export type TransactionWire = z.output<typeof transactionSchema>;
export type TransactionPageWire = z.output<typeof transactionPageSchema>;
export type ImportReportWire = z.output<typeof importReportSchema>;
export type NewTransactionWire = z.output<typeof newTransaction>;
