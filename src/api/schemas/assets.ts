import { z } from 'zod';
import {
  assetFlags,
  assetIdentity,
  chainSlug,
  decimalInput,
  decimalString,
  nextCursor,
  price,
  spam,
  timestamp,
  uuid,
} from './common.ts';

export const assetIdParams = z.strictObject({
  id: z.string().min(1).max(200).meta({ description: 'UUID, or the CAIP-19 id with its slash written as `%2F`.' }),
});

export const newAssetSchema = z
  .strictObject({
    chain: chainSlug,
    address: z.string().trim().min(1).max(100).meta({ description: 'Address of the token.' }),
  })
  .meta({ id: 'NewAsset' });

export const assetPatchSchema = z
  .strictObject({
    spam: z.boolean().nullable().optional().meta({ description: 'Your word on it; null gives the decision back to the rules.' }),
    manual_price: decimalInput.nullable().optional().meta({ description: 'US dollars; null takes it away.' }),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Name at least one field to change.')
  .meta({ id: 'AssetPatch' });

export const acceptPriceSchema = z
  .strictObject({ value: decimalInput.meta({ description: 'The `price.value` that you saw.' }) })
  .meta({ id: 'AcceptPrice' });

export const assetSchema = z
  .object({
    id: uuid,
    ...assetIdentity,
    decimals: z.int().min(0).max(255).nullable(),
    standard: z.enum(['native', 'erc20', 'spl', 'spl-2022']),
    listed: z.boolean().meta({ description: "On the curated list, or a chain's own coin." }),
    tracked: z.boolean().meta({ description: 'Added by you.' }),
    flags: assetFlags,
    spam,
    price,
    manual_price: z.object({ value: decimalString, set_at: timestamp }).nullable(),
  })
  .meta({ id: 'Asset' });

export const assetPageSchema = z.object({ assets: z.array(assetSchema), next_cursor: nextCursor }).meta({ id: 'AssetPage' });

export type AssetWire = z.output<typeof assetSchema>;
