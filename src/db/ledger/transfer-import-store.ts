import { type Kysely, sql, type Transaction } from 'kysely';
import type { SourceError } from '../../domain/holding.ts';
import type { NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import { noteChange } from '../data-version.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { firstBlock } from './first-block.ts';
import { insertEntries } from './save-entries.ts';

/** A wallet whose transfers are to be read on, from the block after `throughBlock`. */
export type ImportedWallet = {
  readonly walletId: string;
  readonly address: string;
  readonly fromBlock: bigint;
  readonly throughBlock: bigint | null;
  readonly cursor: string | null;
};

/** What nobody else reads on as long as the claim holds. */
export type HeldClaim = { readonly claimId: string; readonly tenantId: string; readonly chain: string };

/** Wallets of one tenant and chain. */
export type ImportClaim = HeldClaim & { readonly wallets: readonly ImportedWallet[] };

/** How reading on went for one wallet. */
export type ImportOutcome = { readonly walletId: string } & (
  | {
      readonly status: 'ok';
      readonly entries: readonly NewLedgerEntry[];
      readonly throughBlock: bigint | null;
      /** Null when there is no more to read for now. */
      readonly cursor: string | null;
      readonly hasNative: boolean;
    }
  | { readonly status: 'failed' | 'unsupported'; readonly error: SourceError }
);

/** How far the ledger of a chain is behind: the time of the wallet that has waited the longest to be read to the end. */
export type ImportLag = { readonly chain: string; readonly lagSeconds: number };

/** How far transfers were read, and what they were. Times are the database's own. */
export type TransferImportStore = {
  /** Begins with wallets that were read by now: from the block after the first that is known of them. */
  adopt(): Promise<void>;
  /** Takes wallets of one tenant that were not attempted for so long, or not read to the end, the longest waiting first. Undefined when there are none. */
  claim(
    chain: string,
    options: { readonly limit: number; readonly notForSeconds: number; readonly leaseSeconds: number },
  ): Promise<ImportClaim | undefined>;
  /**
   * Stores what was found and how far it reaches in one transaction, and renews the claim. Gives the number of new entries; undefined, with nothing stored, when somebody else has the wallets by now. Wallets that are gone
   * are left out.
   */
  save(
    claim: HeldClaim,
    outcomes: readonly ImportOutcome[],
    options: { readonly leaseSeconds: number },
  ): Promise<{ readonly added: number } | undefined>;
  release(claimId: string): Promise<void>;
  /** Addresses of all tokens of a chain that any tenant ever met. */
  listTokens(chain: string): Promise<readonly string[]>;
  getLags(): Promise<readonly ImportLag[]>;
};

export function createTransferImportStore(db: TenantDb): TransferImportStore {
  return {
    adopt: () => adopt(db.all),
    claim: (chain, options) => claim(db.all, chain, options),
    save: (held, outcomes, { leaseSeconds }) =>
      inTransaction(db.of(held.tenantId), async (trx) => {
        await lockWallets(trx, held.tenantId, outcomes);
        const kept = await saveProgress(trx, held, { outcomes, leaseSeconds });
        if (kept.size === 0) return undefined;
        const entries = outcomes.flatMap((one) => (one.status === 'ok' && kept.has(one.walletId) ? one.entries : []));
        return { added: await addEntries(trx, held.tenantId, entries) };
      }),
    async release(claimId) {
      await sql`update transfer_imports set claim_id = null, claimed_until = null where claim_id = ${claimId}`.execute(db.all);
    },
    async listTokens(chain) {
      const rows = await db.all
        .selectFrom('assets')
        .select('address')
        .where('chain', '=', chain)
        .where('address', 'is not', null)
        .execute();
      return rows.flatMap(({ address }) => address ?? []);
    },
    async getLags() {
      const { rows } = await sql<ImportLag>`
        select chain, greatest(0, extract(epoch from now() - min(coalesce(caught_up_at, created_at))))::float8 as "lagSeconds"
        from transfer_imports group by chain order by chain`.execute(db.all);
      return rows;
    },
  };
}

/** With what was told by the first snapshot, or as long as there is none, by the last good read. */
async function adopt(db: Kysely<Schema>): Promise<void> {
  await sql`
    insert into transfer_imports (tenant_id, wallet_id, chain, from_block)
    select c.tenant_id, c.wallet_id, c.chain, known.block + 1
    from wallet_chains c
    cross join lateral (
      select coalesce((${firstBlock('c')}), (
        select min(s.block_number) from sources s
        where s.tenant_id = c.tenant_id and s.wallet_id = c.wallet_id and s.chain = c.chain and s.kind = 'balances'
      )) as block
    ) known
    where known.block is not null and not exists (
      select from transfer_imports i where (i.tenant_id, i.wallet_id, i.chain) = (c.tenant_id, c.wallet_id, c.chain)
    )
    for key share of c
    on conflict do nothing`.execute(db);
}

async function claim(
  db: Kysely<Schema>,
  chain: string,
  { limit, notForSeconds, leaseSeconds }: Parameters<TransferImportStore['claim']>[1],
): Promise<ImportClaim | undefined> {
  const isDue = sql`
    i.chain = ${chain} and (i.claimed_until is null or i.claimed_until <= now()) and (
      i.attempted_at is null or i.attempted_at <= now() - make_interval(secs => ${notForSeconds})
      or (i.outcome = 'ok' and i.caught_up_at is distinct from i.attempted_at)
    )`;
  const { rows } = await sql<ClaimRow>`
    with next as (
      select i.tenant_id from transfer_imports i where ${isDue} order by i.attempted_at nulls first limit 1
    ), taken as materialized (
      select i.tenant_id, i.wallet_id from transfer_imports i join next using (tenant_id)
      where ${isDue} order by i.attempted_at nulls first limit ${limit} for update of i skip locked
    ), claim as materialized (select gen_random_uuid() as id)
    update transfer_imports i
    set claim_id = claim.id, claimed_until = now() + make_interval(secs => ${leaseSeconds})
    from claim, taken t join wallets w on w.tenant_id = t.tenant_id and w.id = t.wallet_id
    where i.tenant_id = t.tenant_id and i.wallet_id = t.wallet_id and i.chain = ${chain}
    returning i.claim_id, i.tenant_id, i.wallet_id, w.address, i.from_block, i.through_block, i.cursor`.execute(db);
  const [first] = rows;
  if (first === undefined) return undefined;
  return { claimId: first.claim_id, tenantId: first.tenant_id, chain, wallets: rows.map(toWallet) };
}

type ClaimRow = {
  readonly claim_id: string;
  readonly tenant_id: string;
  readonly wallet_id: string;
  readonly address: string;
  readonly from_block: string;
  readonly through_block: string | null;
  readonly cursor: string | null;
};

function toWallet(row: ClaimRow): ImportedWallet {
  return {
    walletId: row.wallet_id,
    address: row.address,
    fromBlock: BigInt(row.from_block),
    throughBlock: row.through_block === null ? null : BigInt(row.through_block),
    cursor: row.cursor,
  };
}

/** Before anything else, so that a wallet that is deleted at the same time is deleted before or after. */
export async function lockWallets(
  trx: Transaction<Schema>,
  tenantId: string,
  wallets: readonly { readonly walletId: string }[],
): Promise<void> {
  await sql`
    select from wallets where tenant_id = ${tenantId} and id = any(${wallets.map(({ walletId }) => walletId)}::uuid[])
    order by id for key share`.execute(trx);
}

/** The wallets that are still the claim's. A failure keeps how far it was read before. */
async function saveProgress(
  trx: Transaction<Schema>,
  { claimId, tenantId, chain }: HeldClaim,
  { outcomes, leaseSeconds }: { readonly outcomes: readonly ImportOutcome[]; readonly leaseSeconds: number },
): Promise<ReadonlySet<string>> {
  const ok = <T>(read: (outcome: Extract<ImportOutcome, { status: 'ok' }>) => T): readonly (T | null)[] =>
    outcomes.map((one) => (one.status === 'ok' ? read(one) : null));
  const error = (read: (told: SourceError) => string | null): readonly (string | null)[] =>
    outcomes.map((one) => (one.status === 'ok' ? null : read(one.error)));
  const { rows } = await sql<{ wallet_id: string }>`
    update transfer_imports i
    set attempted_at = now(),
      outcome = o.outcome,
      error_code = o.error_code,
      error_provider = o.error_provider,
      through_block = greatest(i.through_block, o.through_block),
      cursor = case o.outcome when 'ok' then o.cursor else i.cursor end,
      caught_up_at = case when o.outcome = 'ok' and o.cursor is null then now() else i.caught_up_at end,
      has_native = coalesce(i.has_native and o.has_native, o.has_native, i.has_native),
      claimed_until = now() + make_interval(secs => ${leaseSeconds})
    from unnest(
      ${outcomes.map(({ walletId }) => walletId)}::uuid[],
      ${outcomes.map(({ status }) => status)}::text[],
      ${ok(({ throughBlock }) => throughBlock?.toString() ?? null)}::bigint[],
      ${ok(({ cursor }) => cursor)}::text[],
      ${ok(({ hasNative }) => hasNative)}::boolean[],
      ${error(({ code }) => code)}::text[],
      ${error(({ provider }) => provider)}::text[]
    ) as o (wallet_id, outcome, through_block, cursor, has_native, error_code, error_provider)
    where i.claim_id = ${claimId} and i.tenant_id = ${tenantId} and i.chain = ${chain} and i.wallet_id = o.wallet_id
    returning i.wallet_id`.execute(trx);
  return new Set(rows.map((row) => row.wallet_id));
}

export async function addEntries(
  trx: Transaction<Schema>,
  tenantId: string,
  entries: readonly NewLedgerEntry[],
): Promise<number> {
  if (entries.length === 0) return 0;
  const { size: added } = await insertEntries(trx, tenantId, entries);
  if (added > 0) await noteChange(trx, tenantId);
  return added;
}
