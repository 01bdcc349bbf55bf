import { type Kysely, sql } from 'kysely';
import type { Cadence } from '../domain/cadence.ts';
import { Decimal } from '../domain/decimal.ts';
import type { ChainBacklog, WalletBatch } from '../domain/wallet-batch.ts';
import type { Schema } from './schema.ts';
import type { TenantDb } from './tenant-db.ts';

/** A wallet of a batch that was begun, with the cadence it had. */
export type BegunWallet = Cadence & { readonly walletId: string };

/** When a wallet is to be read next. */
export type NextRead = Cadence & { readonly walletId: string; readonly dueInSeconds: number };

/** What a wallet holds on a chain, as far as its schedule depends on it. */
export type WalletFacts = {
  /** The same as long as no amount changes; null for an empty wallet. */
  readonly fingerprint: string | null;
  /** Of listed assets with a price; null when there is none. */
  readonly valueUsd: Decimal | null;
};

export type ClaimOptions = {
  readonly chains: readonly { readonly slug: string; readonly batchSize: number }[];
  /** Batches of one chain that may be under way at once, those of other processes included. */
  readonly maxOpenBatches: number;
  /** How long a claim holds without being begun. */
  readonly leaseSeconds: number;
};

/** Who reads which wallet when. Times are the database's own, so that no clock of a process matters. */
export type ScheduleStore = {
  /** Takes wallets that are due, longest overdue first, in batches of one tenant and chain. Nobody else gets them until the lease is over. */
  claimDue(options: ClaimOptions): Promise<readonly WalletBatch[]>;
  /**
   * Renews the claim for the time of the read and gives its wallets; none when the claim is over. The wallets are due again after `retrySeconds` even
   * if nobody ever says how the read went.
   */
  begin(
    batch: WalletBatch,
    options: { readonly leaseSeconds: number; readonly retrySeconds: number },
  ): Promise<readonly BegunWallet[]>;
  /** Ends the claim and sets the next reads. Without effect when somebody else has the wallets by now. */
  finish(batch: WalletBatch, next: readonly NextRead[]): Promise<void>;
  /** Ends claims without a read: the wallets are due at once. */
  release(claimIds: readonly string[]): Promise<void>;
  /** Makes wallets that nobody has taken on due at once. */
  makeDue(batch: Omit<WalletBatch, 'claimId'>): Promise<void>;
  /** Gives wallets a schedule that have none: a version that knew no schedules added them while this one was already running. */
  adopt(): Promise<void>;
  /** By wallet id; an entry for each. */
  getFacts(batch: Omit<WalletBatch, 'claimId'>): Promise<ReadonlyMap<string, WalletFacts>>;
  getBacklogs(chains: readonly string[]): Promise<readonly ChainBacklog[]>;
};

export function createScheduleStore(db: TenantDb): ScheduleStore {
  return {
    claimDue: (options) => claimDue(db.all, options),
    async begin({ claimId, tenantId }, { leaseSeconds, retrySeconds }) {
      const { rows } = await sql<BegunWallet>`
        update wallet_schedules
        set claimed_until = ${fromNow(leaseSeconds)}, due_at = ${fromNow(retrySeconds)}
        where claim_id = ${claimId} and tenant_id = ${tenantId}
        returning wallet_id as "walletId", interval_seconds as "intervalSeconds", idle_streak as "idleStreak"`.execute(
        db.of(tenantId),
      );
      return rows;
    },
    finish: (batch, next) => finish(db.of(batch.tenantId), batch, next),
    async adopt() {
      await sql`
        insert into wallet_schedules (tenant_id, wallet_id, chain)
        select tenant_id, wallet_id, chain from wallet_chains c
        where not exists (
          select from wallet_schedules s where (s.tenant_id, s.wallet_id, s.chain) = (c.tenant_id, c.wallet_id, c.chain)
        )
        for key share
        on conflict do nothing`.execute(db.all);
    },
    async release(claimIds) {
      await sql`
        update wallet_schedules set claim_id = null, claimed_until = null, due_at = ${AT_ONCE}
        where claim_id = any(${claimIds}::uuid[])`.execute(db.all);
    },
    async makeDue({ tenantId, chain, walletIds }) {
      await sql`
        update wallet_schedules set due_at = ${AT_ONCE}
        where tenant_id = ${tenantId} and chain = ${chain} and wallet_id = any(${walletIds}::uuid[])
          and (claimed_until is null or claimed_until <= now())`.execute(db.of(tenantId));
    },
    getFacts: (batch) => getFacts(db.of(batch.tenantId), batch),
    getBacklogs: (chains) => getBacklogs(db.all, chains),
  };
}

/** Not a moment later: the column keeps milliseconds and would round up. */
const AT_ONCE = sql`date_trunc('milliseconds', now())`;

function fromNow(seconds: number): ReturnType<typeof sql> {
  return sql`now() + make_interval(secs => ${seconds})`;
}

/**
 * One statement, whatever the number of wallets. Of a chain's due wallets only as many are looked at as there is room for. Tenants take turns: first those
 * with the fewest batches under way, of these the longest overdue.
 */
async function claimDue(
  db: Kysely<Schema>,
  { chains, maxOpenBatches, leaseSeconds }: ClaimOptions,
): Promise<readonly WalletBatch[]> {
  const { rows } = await sql<WalletBatch>`
    with recursive open as materialized (
      select chain, tenant_id, count(distinct claim_id)::integer as batches from wallet_schedules
      where claim_id is not null and claimed_until > now() group by chain, tenant_id
    ), room as materialized (
      select c.chain, c.batch_size,
        greatest(0, ${maxOpenBatches}::integer - coalesce((select sum(o.batches) from open o where o.chain = c.chain), 0))::integer as batches
      from unnest(${chains.map(({ slug }) => slug)}::text[], ${chains.map(({ batchSize }) => batchSize)}::integer[])
        as c (chain, batch_size)
    ), heads as (
      select h.* from room cross join lateral (
        select s.chain, s.tenant_id, s.due_at from wallet_schedules s
        where s.chain = room.chain and room.batches > 0 order by s.tenant_id, s.due_at limit 1
      ) h
      union all
      select h.* from heads p cross join lateral (
        select s.chain, s.tenant_id, s.due_at from wallet_schedules s
        where s.chain = p.chain and s.tenant_id > p.tenant_id order by s.tenant_id, s.due_at limit 1
      ) h
    ), turns as (
      select h.chain, h.tenant_id, coalesce(o.batches, 0) as open,
        row_number() over (partition by h.chain order by coalesce(o.batches, 0), h.due_at) as turn
      from heads h left join open o using (chain, tenant_id) where h.due_at <= now()
    ), due as materialized (
      select d.*, room.batch_size, room.batches, turns.open
      from room join turns using (chain) cross join lateral (
        select s.tenant_id, s.wallet_id, s.chain, s.due_at from wallet_schedules s
        where s.chain = room.chain and s.tenant_id = turns.tenant_id and s.due_at <= now()
          and (s.claimed_until is null or s.claimed_until <= now())
        order by s.due_at limit room.batches * room.batch_size for update skip locked
      ) d
      -- All that some of them have due may be under way.
      where turns.turn <= ${maxOpenBatches}
    ), numbered as (
      select *, (row_number() over (partition by tenant_id, chain order by due_at, wallet_id) - 1) / batch_size as part from due
    ), ranked as (
      select tenant_id, chain, part, batches, row_number() over (partition by chain order by open + part, min(due_at)) as rank
      from numbered group by tenant_id, chain, part, batches, open
    ), claims as materialized (
      select tenant_id, chain, part, uuidv7() as claim_id from ranked where rank <= batches
    ), claimed as (
      update wallet_schedules s set claim_id = c.claim_id, claimed_until = ${fromNow(leaseSeconds)}
      from numbered n join claims c using (tenant_id, chain, part)
      where s.tenant_id = n.tenant_id and s.wallet_id = n.wallet_id and s.chain = n.chain
      returning s.claim_id, s.tenant_id, s.chain, s.wallet_id
    )
    select claim_id as "claimId", tenant_id as "tenantId", chain, array_agg(wallet_id order by wallet_id) as "walletIds"
    from claimed group by claim_id, tenant_id, chain order by claim_id`.execute(db);
  return rows;
}

async function finish(db: Kysely<Schema>, { claimId, tenantId, chain }: WalletBatch, next: readonly NextRead[]): Promise<void> {
  await sql`
    update wallet_schedules s set claim_id = null, claimed_until = null, due_at = now() + make_interval(secs => n.due_in),
      interval_seconds = n.interval_seconds, idle_streak = n.idle_streak
    from unnest(
      ${next.map(({ walletId }) => walletId)}::uuid[],
      ${next.map(({ dueInSeconds }) => dueInSeconds)}::double precision[],
      ${next.map(({ intervalSeconds }) => intervalSeconds)}::integer[],
      ${next.map(({ idleStreak }) => idleStreak)}::integer[]
    ) as n (wallet_id, due_in, interval_seconds, idle_streak)
    where s.tenant_id = ${tenantId} and s.wallet_id = n.wallet_id and s.chain = ${chain} and s.claim_id = ${claimId}`.execute(db);
}

/** Wallet by wallet: joined at once, the planner may read the balances of all wallets there are, for minutes while a table is new to it. */
async function getFacts(
  db: Kysely<Schema>,
  { tenantId, chain, walletIds }: Omit<WalletBatch, 'claimId'>,
): Promise<ReadonlyMap<string, WalletFacts>> {
  const { rows } = await sql<{ wallet_id: string; fingerprint: string | null; value: string | null }>`
    select w.wallet_id, f.fingerprint, f.value
    from unnest(${walletIds}::uuid[]) as w (wallet_id)
    cross join lateral (
      select md5(string_agg(b.position || b.asset_id || b.amount_raw, ' ' order by b.asset_id, b.position)) as fingerprint,
        sum(b.amount_raw * ('1e-' || a.decimals)::numeric * p.good_value) filter (where a.listed) as value
      from balances b join assets a on a.id = b.asset_id left join prices p on p.asset_id = b.asset_id
      where b.tenant_id = ${tenantId} and b.wallet_id = w.wallet_id and b.chain = ${chain} and b.amount_raw > 0
    ) f`.execute(db);
  return new Map(
    rows.map(({ wallet_id: walletId, fingerprint, value }) => [
      walletId,
      { fingerprint, valueUsd: value === null ? null : new Decimal(value) },
    ]),
  );
}

async function getBacklogs(db: Kysely<Schema>, chains: readonly string[]): Promise<readonly ChainBacklog[]> {
  const { rows } = await sql<{ chain: string; due: string; oldest: string | null; claimed: string }>`
    select c.chain, d.due, d.oldest, (
      select count(*) from wallet_schedules s
      where s.claim_id is not null and s.claimed_until > now() and s.chain = c.chain
    ) as claimed
    from unnest(${chains}::text[]) as c (chain) cross join lateral (
      select count(*) as due, extract(epoch from now() - min(s.due_at)) as oldest from wallet_schedules s
      where s.chain = c.chain and s.due_at <= now() and (s.claimed_until is null or s.claimed_until <= now())
    ) d`.execute(db);
  return rows.map(({ chain, due, oldest, claimed }) => ({
    chain,
    due: Number(due),
    oldestDueSeconds: Number(oldest ?? 0),
    claimed: Number(claimed),
  }));
}
