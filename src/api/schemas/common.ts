import { z } from 'zod';

/** For requests without path parameters, query or body. */
export const nothing = z.strictObject({});

export const uuid = z.uuid().meta({ description: 'Opaque id.' });

export const chainSlug = z
  .string()
  .max(32)
  .regex(/^[a-z0-9-]{1,32}$/, 'A chain slug is lower case letters, digits and hyphens.')
  .meta({ description: 'Slug of a chain, as `GET /chains` lists them.', example: 'ethereum' });

export const timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'RFC 3339, UTC.', example: '2026-11-21T12:00:00.000Z' });

/** What we send: exact digits, without an exponent. */
export const decimalString = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .meta({ description: 'Exact decimal number.', example: '1234.5' });

export const rawAmount = z
  .string()
  .regex(/^\d+$/)
  .meta({ description: 'Whole number of the smallest units.', example: '1234500000' });

/** What we take: digits of a bounded length, never negative. */
export const decimalInput = z
  .string()
  .max(112)
  .regex(/^\d{1,30}(\.\d{1,80})?$/, 'Give plain digits, at most 30 before and 80 after the point.')
  .meta({ description: 'Plain digits: no sign, no exponent.', example: '0.5' });

export const label = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Control characters are not taken.')
  .meta({ description: 'Your own words for it.', example: 'Cold wallet' });

/** Text in the URL, a whole number everywhere else. */
export const limitQuery = z
  .string()
  .regex(/^([1-9]\d?|100)$/, 'Give a whole number from 1 to 100.')
  .default('50')
  .transform(Number)
  .meta({
    description: 'Most entries of a page.',
    override: ({ jsonSchema }) => {
      delete jsonSchema.pattern;
      Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 100, default: 50 });
    },
  });

export const cursorQuery = z
  .string()
  .min(1)
  .max(512)
  .optional()
  .meta({ description: 'The `next_cursor` of the page before, with the same filters.' });

export const nextCursor = z.string().nullable().meta({ description: 'Ask for the next page with it; null on the last page.' });

export const sourceError = z
  .object({
    code: z.string().meta({ description: 'A stable code, listed at `/docs/errors`, or the reason a quote was refused.' }),
    provider: z.string().nullable().meta({ description: 'The endpoint or price source that failed.' }),
  })
  .meta({ id: 'SourceError' });

export const block = z
  .object({
    number: z.int().min(0).nullable().meta({
      description: 'Block or slot. Null when the endpoint told one above 2^53 - 1, which no chain has.',
    }),
    hash: z.string().nullable().meta({ description: 'Null on Solana, whose endpoints do not tell it.' }),
  })
  .meta({ id: 'Block', description: 'The block (or slot) that a figure was read at.' });

export const price = z
  .object({
    value: decimalString.nullable().meta({ description: 'US dollars for one whole token; null when there is no price at all.' }),
    currency: z.literal('USD'),
    status: z.enum(['ok', 'stale', 'missing', 'manual', 'quarantined']).meta({
      description: '`quarantined`: shown, but not summed until it is accepted.',
    }),
    source: z.string().nullable(),
    quoted_at: timestamp.nullable(),
    reason: z
      .enum([
        'no_source',
        'not_quoted',
        'source_failed',
        'quote_zero',
        'quote_negative',
        'quote_absurd',
        'quote_not_a_number',
        'quote_wrong_currency',
        'quote_too_old',
        'quote_from_future',
        'price_jump',
        'unlisted_dominates',
        'never_fetched',
      ])
      .nullable()
      .meta({ description: 'Why the price is missing, held back, or no newer than it is.' }),
  })
  .meta({ id: 'Price' });

export const spam = z
  .object({
    is_spam: z.boolean(),
    reasons: z
      .array(z.enum(['bad_pattern', 'impersonation', 'unlisted_unpriced', 'owner_says_spam']))
      .meta({ description: 'What the rules found, also when the owner overruled them.' }),
    decided_by: z.enum(['rules', 'owner']),
  })
  .meta({ id: 'Spam' });

export const assetFlags = z
  .array(
    z.enum([
      'transfer_fee',
      'scaled_ui_amount',
      'interest_bearing',
      'default_frozen',
      'permanent_delegate',
      'transfer_hook',
      'pausable',
      'non_transferable',
      'confidential',
      'metadata_truncated',
      'metadata_unreadable',
    ]),
  )
  .meta({ description: 'Traits of the token that a holder should know of.' });

/** What every answer about an asset says it is. */
export const assetIdentity = {
  chain: chainSlug,
  token_symbol: z.string().nullable(),
  token_name: z.string().nullable(),
  token_address: z.string().nullable().meta({ description: "Null for the chain's own coin." }),
  asset_id: z.string().meta({ description: 'CAIP-19 id.', example: 'eip155:1/slip44:60' }),
};

export const includeQuery = z
  .array(z.enum(['spam']))
  .max(1)
  .optional()
  .meta({ description: '`spam` lists what is hidden as spam. It never counts in totals.' });
