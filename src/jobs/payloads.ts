import { z } from 'zod';
import type { WalletBatch } from '../domain/wallet-batch.ts';

/** What the queue calls each kind of job. */
export const BATCH_JOB = 'read-wallets';

/** More than any claim makes; a longer list was not written by us. */
const MAX_WALLETS = 1_000;
const VERSION = 1;

/** Ids of tenants need no version bits. */
const id = z.guid();

const batchSchema = z
  .strictObject({
    v: z.literal(VERSION),
    claim_id: id,
    tenant_id: id,
    chain: z.string().min(1).max(64),
    wallet_ids: z.array(id).min(1).max(MAX_WALLETS),
  })
  .transform(
    (data): WalletBatch => ({
      claimId: data.claim_id,
      tenantId: data.tenant_id,
      chain: data.chain,
      walletIds: data.wallet_ids,
    }),
  );

/** What a schedule puts into its jobs: nothing but the version. */
export const TICK_PAYLOAD = { v: VERSION } as const;
const tickSchema = z.strictObject({ v: z.literal(VERSION) });

/** A batch as it lies in the queue. */
export function toBatchPayload({ claimId, tenantId, chain, walletIds }: WalletBatch): object {
  return { v: VERSION, claim_id: claimId, tenant_id: tenantId, chain, wallet_ids: walletIds };
}

/** Undefined for anything but the mark of a schedule of this version. */
export function parseTickPayload(data: unknown): typeof TICK_PAYLOAD | undefined {
  return tickSchema.safeParse(data).data;
}

/** Undefined for anything but a batch of this version. */
export function parseBatchPayload(data: unknown): WalletBatch | undefined {
  return batchSchema.safeParse(data).data;
}
