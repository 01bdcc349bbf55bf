import { type Kysely, sql, type Transaction } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import { addDays, type Backfill, type BackfillChain, type Day } from '../../domain/history/backfill.ts';
import type { SourceError } from '../../domain/holding.ts';
import type { Lease } from '../refresh-store.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';
import { type PastDays, savePastDays } from './past-days.ts';
import { findKnownFrom } from './past-snapshots.ts';

export type NewBackfill = Pick<Backfill, 'walletId' | 'from' | 'through' | 'daysTotal'> & {
  readonly chains: BackfillRun['chains'];
};

/** What is left of a backfill, for who runs it. */
export type BackfillRun = {
  readonly tenantId: string;
  readonly walletId: string;
  readonly from: Day;
  readonly through: Day;
  /** null: all is done. */
  readonly nextDay: Day | null;
  /** Failures since a day was done. */
  readonly attempts: number;
  /** With the first moment at which each was known before. */
  readonly chains: readonly (Pick<BackfillChain, 'chain' | 'status' | 'error'> & { readonly knownFrom: Date | null })[];
};

/** Days that were read, newest first, without a gap, from the next one on. */
export type DaysDone = Omit<PastDays, 'walletId'> & {
  /** Chains that come no further. */
  readonly ended: readonly { readonly chain: string; readonly status: 'failed' | 'unsupported'; readonly error: SourceError }[];
  readonly unpricedCount: number;
  readonly priceErrorCode: ErrorCode | null;
};

type Held = Pick<BackfillRun, 'tenantId' | 'walletId'>;

export type BackfillStore = {
  /** The first moment at which the balances of a wallet on a chain are known; null when they never were. */
  findKnownFrom(tenantId: string, source: { readonly walletId: string; readonly chain: string }): Promise<Date | null>;
  /** Starts it in place of the last one, or joins one that runs from the same day on; refused while another one runs. One without days is finished at once. */
  startOrJoin(tenantId: string, backfill: NewBackfill): Promise<'started' | 'joined' | 'refused'>;
  /** The last one of the wallet. */
  get(tenantId: string, walletId: string): Promise<Backfill | undefined>;
  /** Ends one that runs; what is done stays. */
  cancel(tenantId: string, walletId: string): Promise<void>;
  /** Those that nobody runs and whose pause is over, now leased to the runner, the oldest first. */
  takeUp(lease: Lease, limit: number): Promise<readonly BackfillRun[]>;
  renew(held: Held, lease: Lease): Promise<void>;
  /** Leaves it to whoever takes it up first, after a pause if told; a failure counts. */
  handBack(held: Held, lease: Pick<Lease, 'runnerId'>, pause?: { readonly seconds: number }): Promise<void>;
  /** The last snapshot of each day that has one. */
  listMoments(tenantId: string, days: { readonly first: Day; readonly last: Day }): Promise<ReadonlyMap<Day, Date>>;
  /** Writes days down and what is left, all or nothing. What is left then; undefined when another runner has it by now, or it was cancelled. */
  saveDays(held: Held, lease: Pick<Lease, 'runnerId'>, done: DaysDone): Promise<BackfillRun | undefined>;
  finish(held: Held, lease: Pick<Lease, 'runnerId'>): Promise<void>;
};

export function createBackfillStore(db: TenantDb): BackfillStore {
  return {
    findKnownFrom: (tenantId, source) => findKnownFrom(db.of(tenantId), tenantId, source),
    startOrJoin: (tenantId, backfill) => inTransaction(db.of(tenantId), (trx) => startOrJoin(trx, tenantId, backfill)),
    get: (tenantId, walletId) => get(db.of(tenantId), tenantId, walletId),
    async cancel(tenantId, walletId) {
      if (!isUuid(walletId)) return;
      await sql`
        update backfills set status = 'cancelled', finished_at = now(), runner_id = null, lease_until = null
        where tenant_id = ${tenantId} and wallet_id = ${walletId} and status = 'running'`.execute(db.of(tenantId));
    },
    takeUp: (lease, limit) => takeUp(db, lease, limit),
    async renew(held, { runnerId, leaseSeconds }) {
      await sql`
        update backfills set lease_until = now() + make_interval(secs => ${leaseSeconds}) where ${isHeld(held, runnerId)}`.execute(
        db.of(held.tenantId),
      );
    },
    async handBack(held, { runnerId }, pause) {
      await sql`
        update backfills set runner_id = null, lease_until = null, attempts = attempts + ${pause === undefined ? 0 : 1},
          not_before = now() + make_interval(secs => ${pause?.seconds ?? 0})
        where ${isHeld(held, runnerId)}`.execute(db.of(held.tenantId));
    },
    async listMoments(tenantId, { first, last }) {
      const { rows } = await sql<{ day: string; at: Date }>`
        select to_char(bucket at time zone 'UTC', 'YYYY-MM-DD') as day, at from snapshot_days
        where tenant_id = ${tenantId} and bucket between ${`${first}T00:00:00Z`} and ${`${last}T00:00:00Z`}`.execute(
        db.of(tenantId),
      );
      return new Map(rows.map(({ day, at }) => [day, at]));
    },
    saveDays: (held, lease, done) => saveDays(db, { ...held, ...done, runnerId: lease.runnerId }),
    async finish(held, { runnerId }) {
      await inTransaction(db.of(held.tenantId), async (trx) => {
        const { numAffectedRows } = await sql`
          update backfills set status = 'finished', finished_at = now(), next_day = null, runner_id = null, lease_until = null
          where ${isHeld(held, runnerId)}`.execute(trx);
        if (numAffectedRows === 1n) await endPending(trx, held);
      });
    },
  };
}

function isHeld({ tenantId, walletId }: Held, runnerId: string): ReturnType<typeof sql> {
  return sql`tenant_id = ${tenantId} and wallet_id = ${walletId} and runner_id = ${runnerId} and status = 'running'`;
}

async function endPending(trx: Transaction<Schema>, { tenantId, walletId }: Held): Promise<void> {
  await sql`
    update backfill_chains set status = 'ok' where tenant_id = ${tenantId} and wallet_id = ${walletId} and status = 'pending'`.execute(
    trx,
  );
}

async function startOrJoin(
  trx: Transaction<Schema>,
  tenantId: string,
  { walletId, from, through, daysTotal, chains }: NewBackfill,
): Promise<'started' | 'joined' | 'refused'> {
  const { rows } = await sql<{ from_day: Day }>`
    select from_day::text from backfills where tenant_id = ${tenantId} and wallet_id = ${walletId} and status = 'running' for update`.execute(
    trx,
  );
  const [running] = rows;
  if (running !== undefined) return running.from_day === from ? 'joined' : 'refused';
  await sql`delete from backfills where tenant_id = ${tenantId} and wallet_id = ${walletId} and status <> 'running'`.execute(trx);
  const isDone = daysTotal === 0;
  const { numAffectedRows } = await sql`
    insert into backfills (tenant_id, wallet_id, status, from_day, through_day, next_day, days_total, finished_at)
    values (${tenantId}, ${walletId}, ${isDone ? 'finished' : 'running'}, ${from}::date, ${through}::date,
      ${isDone ? null : through}::date, ${daysTotal}, ${isDone ? sql`now()` : null})
    on conflict do nothing`.execute(trx);
  // Another request was faster; it may have asked for anything.
  if (numAffectedRows !== 1n) return startOrJoin(trx, tenantId, { walletId, from, through, daysTotal, chains });
  await sql`
    insert into backfill_chains (tenant_id, wallet_id, chain, ordinal, known_from, status, error_code, error_provider)
    select ${tenantId}, ${walletId}, i.chain, i.ordinal, i.known_from, i.status, i.error_code, i.error_provider
    from unnest(
      ${chains.map(({ chain }) => chain)}::text[],
      ${chains.map(({ knownFrom }) => knownFrom?.toISOString() ?? null)}::timestamptz[],
      ${chains.map(({ status }) => status)}::text[],
      ${chains.map(({ error }) => error?.code ?? null)}::text[],
      ${chains.map(({ error }) => error?.provider ?? null)}::text[]
    ) with ordinality as i (chain, known_from, status, error_code, error_provider, ordinal)`.execute(trx);
  return 'started';
}

type Row = {
  status: Backfill['status'];
  from_day: Day;
  through_day: Day | null;
  days_total: number;
  days_done: number;
  unpriced_count: number;
  price_error_code: ErrorCode | null;
  started_at: Date;
  finished_at: Date | null;
};
type ChainRow = {
  chain: string;
  status: BackfillChain['status'];
  reached_day: Day | null;
  error_code: ErrorCode | null;
  error_provider: string | null;
};

async function get(db: Kysely<Schema>, tenantId: string, walletId: string): Promise<Backfill | undefined> {
  if (!isUuid(walletId)) return undefined;
  const ofWallet = sql`tenant_id = ${tenantId} and wallet_id = ${walletId}`;
  const { rows } = await sql<Row>`
    select status, from_day::text, through_day::text, days_total, days_done, unpriced_count, price_error_code, started_at, finished_at
    from backfills where ${ofWallet}`.execute(db);
  const [row] = rows;
  if (row === undefined) return undefined;
  const chains = await sql<ChainRow>`
    select chain, status, reached_day::text, error_code, error_provider from backfill_chains where ${ofWallet} order by ordinal`.execute(
    db,
  );
  return {
    walletId,
    status: row.status,
    from: row.from_day,
    through: row.through_day,
    daysDone: row.days_done,
    daysTotal: row.days_total,
    unpricedCount: row.unpriced_count,
    priceErrorCode: row.price_error_code,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    chains: chains.rows.map((one) => ({ chain: one.chain, status: one.status, reached: one.reached_day, error: errorOf(one) })),
  };
}

function errorOf({
  error_code: code,
  error_provider: provider,
}: Pick<ChainRow, 'error_code' | 'error_provider'>): SourceError | null {
  return code === null ? null : { code, provider };
}

async function takeUp(db: TenantDb, { runnerId, leaseSeconds }: Lease, limit: number): Promise<readonly BackfillRun[]> {
  const { rows } = await sql<{ tenant_id: string; wallet_id: string }>`
    update backfills b set runner_id = ${runnerId}, lease_until = now() + make_interval(secs => ${leaseSeconds})
    from (
      select tenant_id, wallet_id from backfills
      where status = 'running' and (lease_until is null or lease_until <= now()) and (not_before is null or not_before <= now())
      order by started_at limit ${limit} for update skip locked
    ) free
    where b.tenant_id = free.tenant_id and b.wallet_id = free.wallet_id
    returning b.tenant_id, b.wallet_id`.execute(db.all);
  const runs = await Promise.all(
    rows.map((row) => getRun(db.of(row.tenant_id), { tenantId: row.tenant_id, walletId: row.wallet_id })),
  );
  return runs.filter((run) => run !== undefined);
}

async function getRun(db: Kysely<Schema>, { tenantId, walletId }: Held): Promise<BackfillRun | undefined> {
  const ofWallet = sql`tenant_id = ${tenantId} and wallet_id = ${walletId}`;
  const { rows } = await sql<{ from_day: Day; through_day: Day; next_day: Day | null; attempts: number }>`
    select from_day::text, coalesce(through_day, from_day)::text as through_day, next_day::text, attempts from backfills where ${ofWallet}`.execute(
    db,
  );
  const chains = await sql<ChainRow & { known_from: Date | null }>`
    select chain, known_from, status, error_code, error_provider from backfill_chains where ${ofWallet} order by ordinal`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    tenantId,
    walletId,
    from: row.from_day,
    through: row.through_day,
    nextDay: row.next_day,
    attempts: row.attempts,
    chains: chains.rows.map((one) => ({ chain: one.chain, status: one.status, error: errorOf(one), knownFrom: one.known_from })),
  };
}

async function saveDays(db: TenantDb, done: Held & DaysDone & { readonly runnerId: string }): Promise<BackfillRun | undefined> {
  const { tenantId, walletId, days, ended, runnerId } = done;
  const last = days.at(-1)?.day;
  return savePastDays(db, tenantId, done, async (trx) => {
    const { numAffectedRows } = await sql`
      update backfills set days_done = days_done + ${days.length}, attempts = 0, not_before = null,
        next_day = case when ${last ?? null}::date is null then next_day when ${last ?? null}::date > from_day then ${last === undefined ? null : addDays(last, -1)}::date end,
        unpriced_count = unpriced_count + ${done.unpricedCount}, price_error_code = coalesce(${done.priceErrorCode}, price_error_code)
      where ${isHeld(done, runnerId)}`.execute(trx);
    if (numAffectedRows !== 1n) return undefined;
    for (const { day, chains } of days) {
      await sql`
        update backfill_chains set reached_day = ${day}::date
        where tenant_id = ${tenantId} and wallet_id = ${walletId} and chain = any(${chains.map(({ chain }) => chain)}::text[])`.execute(
        trx,
      );
    }
    for (const { chain, status, error } of ended) {
      await sql`
        update backfill_chains set status = ${status}, error_code = ${error.code}, error_provider = ${error.provider}
        where tenant_id = ${tenantId} and wallet_id = ${walletId} and chain = ${chain}`.execute(trx);
    }
    return getRun(trx, done);
  });
}
