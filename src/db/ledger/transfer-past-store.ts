import { type Kysely, sql } from 'kysely';
import type { NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { firstBlock } from './first-block.ts';
import { addEntries, type HeldClaim, lockWallets } from './transfer-import-store.ts';

/** A wallet of which an earlier past is known by now than its transfers were read from. */
export type PastClaim = HeldClaim & {
  readonly walletId: string;
  readonly address: string;
  /** Blocks that are left to read, both included. */
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly cursor: string | null;
};

/** What was found of the past that is left. */
export type PastOutcome = {
  readonly entries: readonly NewLedgerEntry[];
  readonly throughBlock: bigint | null;
  readonly cursor: string | null;
  /** Whether nothing is left. */
  readonly isDone: boolean;
  readonly hasNative: boolean;
};

/** How far transfers of an earlier past were read. */
export type TransferPastStore = {
  /** Takes the wallet that was not attempted for the longest, and not for so long, among those whose past was asked for and is there. */
  claim(
    chain: string,
    options: { readonly notForSeconds: number; readonly leaseSeconds: number },
  ): Promise<PastClaim | undefined>;
  /** Stores what was found and how far it reaches, and renews the claim; when nothing is left, transfers are known from there on. Gives the number of new entries; undefined when the claim is over. */
  save(
    claim: PastClaim,
    outcome: PastOutcome,
    options: { readonly leaseSeconds: number },
  ): Promise<{ readonly added: number } | undefined>;
};

export function createTransferPastStore(db: TenantDb): TransferPastStore {
  return {
    claim: (chain, options) => claim(db.all, chain, options),
    save: (held, outcome, { leaseSeconds }) =>
      inTransaction(db.of(held.tenantId), async (trx) => {
        const { claimId, tenantId, walletId, chain } = held;
        await lockWallets(trx, tenantId, [held]);
        const { isDone, hasNative, cursor, throughBlock } = outcome;
        const { numAffectedRows } = await sql`
          update transfer_imports
          set from_block = case when ${isDone} then past_from_block else from_block end,
            past_through_block = case when ${isDone} then null
              else coalesce(${throughBlock?.toString() ?? null}::bigint, past_through_block) end,
            past_cursor = ${isDone ? null : cursor},
            has_native = coalesce(has_native and ${hasNative}, ${hasNative}),
            claimed_until = now() + make_interval(secs => ${leaseSeconds})
          where claim_id = ${claimId} and tenant_id = ${tenantId} and wallet_id = ${walletId} and chain = ${chain}`.execute(trx);
        if (numAffectedRows !== 1n) return undefined;
        return { added: await addEntries(trx, tenantId, outcome.entries) };
      }),
  };
}

/** What was read of another stretch of the past, before more of it was asked for, counts for nothing. */
async function claim(
  db: Kysely<Schema>,
  chain: string,
  { notForSeconds, leaseSeconds }: Parameters<TransferPastStore['claim']>[1],
): Promise<PastClaim | undefined> {
  const { rows } = await sql<PastRow>`
    with next as materialized (
      select i.tenant_id, i.wallet_id, (${firstBlock('i')}) + 1 as first_block
      from transfer_imports i
      where i.chain = ${chain} and i.caught_up_at is not null and (i.claimed_until is null or i.claimed_until <= now())
        and (i.past_attempted_at is null or i.past_attempted_at <= now() - make_interval(secs => ${notForSeconds}))
        and exists (
          select from backfills b where b.tenant_id = i.tenant_id and b.wallet_id = i.wallet_id and b.status <> 'running'
        )
        and (${firstBlock('i')}) + 1 < i.from_block
      order by i.past_attempted_at nulls first limit 1
      for update of i skip locked
    )
    update transfer_imports i
    set claim_id = gen_random_uuid(), claimed_until = now() + make_interval(secs => ${leaseSeconds}), past_attempted_at = now(),
      past_from_block = n.first_block,
      past_through_block = case when i.past_from_block = n.first_block then i.past_through_block end,
      past_cursor = case when i.past_from_block = n.first_block then i.past_cursor end
    from next n join wallets w on w.tenant_id = n.tenant_id and w.id = n.wallet_id
    where i.tenant_id = n.tenant_id and i.wallet_id = n.wallet_id and i.chain = ${chain}
    returning i.claim_id, i.tenant_id, i.wallet_id, w.address, i.from_block, i.past_from_block, i.past_through_block, i.past_cursor`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const through = row.past_through_block;
  return {
    claimId: row.claim_id,
    tenantId: row.tenant_id,
    chain,
    walletId: row.wallet_id,
    address: row.address,
    fromBlock: through === null ? BigInt(row.past_from_block) : BigInt(through) + 1n,
    toBlock: BigInt(row.from_block) - 1n,
    cursor: row.past_cursor,
  };
}

type PastRow = {
  readonly claim_id: string;
  readonly tenant_id: string;
  readonly wallet_id: string;
  readonly address: string;
  readonly from_block: string;
  readonly past_from_block: string;
  readonly past_through_block: string | null;
  readonly past_cursor: string | null;
};
