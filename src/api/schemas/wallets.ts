import { z } from 'zod';
import { chainSlug, label, nextCursor, timestamp, uuid } from './common.ts';
import { problemSchema } from './problem.ts';

export const newWalletSchema = z
  .strictObject({
    address: z.string().trim().min(1).max(255).meta({
      description: 'An EVM address, a Solana address, or a name ending in `.eth` or `.sol`.',
      example: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
    }),
    chain: z
      .union([chainSlug, z.array(chainSlug).min(1).max(50)], { error: 'Give the slug of a chain or a list of slugs.' })
      .optional()
      .meta({ description: 'One slug or a list. Unless given: `ethereum` for an EVM address, `solana` for a Solana one.' }),
    label: label.nullable().optional(),
  })
  .meta({ id: 'NewWallet' });

export const bulkWalletsSchema = z
  .strictObject({ wallets: z.array(newWalletSchema).min(1).max(1000) })
  .meta({ id: 'NewWallets' });

export const walletPatchSchema = z.strictObject({ label: label.nullable() }).meta({ id: 'WalletPatch' });

export const walletSchema = z
  .object({
    id: uuid,
    address: z.string().meta({ description: 'Canonical: EIP-55 for EVM, base58 for Solana.' }),
    family: z.enum(['evm', 'solana']),
    chain: chainSlug.meta({ description: 'The first of `chains`.' }),
    chains: z.array(chainSlug),
    name: z.string().nullable().meta({ description: 'The name it was added by.' }),
    label: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Wallet' });

export const walletPageSchema = z.object({ wallets: z.array(walletSchema), next_cursor: nextCursor }).meta({ id: 'WalletPage' });

export const bulkResultSchema = z
  .object({
    results: z.array(
      z.object({
        index: z.int().meta({ description: 'Place in the request, from 0.' }),
        status: z
          .int()
          .meta({ description: '201 added, 200 followed already, else the status the wallet alone would have had.' }),
        wallet: walletSchema.nullable(),
        error: problemSchema.nullable(),
      }),
    ),
    created: z.int(),
    existing: z.int(),
    failed: z.int(),
  })
  .meta({ id: 'BulkResult' });

export type WalletWire = z.output<typeof walletSchema>;
