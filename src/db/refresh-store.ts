import { createHash } from 'node:crypto';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Refresh, RefreshScope, RefreshSource } from '../domain/refresh.ts';
import { REFRESH_CHANNEL } from './change-feed.ts';
import { recordRefreshEnds } from './events/refresh-events.ts';
import type { Schema } from './schema.ts';
import type { TenantDb } from './tenant-db.ts';
import { inTransaction } from './transaction.ts';
import { isUuid } from './uuid.ts';

export type RefreshStore = {
  /**
   * The running refresh of exactly these sources (as a set), or a new one: equal refreshes in flight share one, across instances.
   * A running one whose deadline has passed is marked interrupted and does not count. Throws rate_limited when a new one would be one too many.
   */
  startOrJoin(tenantId: string, refresh: NewRefresh): Promise<{ readonly refresh: Refresh; readonly joined: boolean }>;
  /** Undefined when the tenant has none of this id. One past its deadline comes back as interrupted. */
  get(tenantId: string, id: string): Promise<Refresh | undefined>;
  /** Notes the outcome of some sources. */
  updateSources(tenantId: string, id: string, sources: readonly RefreshSource[]): Promise<void>;
  /** Without effect when another runner has it by now, as for the next two. */
  finish(tenantId: string, id: string, lease: Pick<Lease, 'runnerId'>): Promise<void>;
  renew(tenantId: string, id: string, lease: Lease): Promise<void>;
  /** Leaves it to whoever takes it over first. */
  handBack(tenantId: string, id: string, lease: Pick<Lease, 'runnerId'>): Promise<void>;
  /** Refreshes that nobody runs any more, now leased to the runner, oldest first. Those past their deadline are marked interrupted. */
  takeOver(lease: Lease, limit: number): Promise<readonly LostRefresh[]>;
};

/** Who runs a refresh, and for how long from now nobody else may. */
export type Lease = { readonly runnerId: string; readonly leaseSeconds: number };

export type NewRefresh = {
  readonly scope: RefreshScope;
  readonly sources: readonly RefreshSource[];
  readonly deadlineAt: Date;
  readonly lease: Lease;
  /** New ones that the tenant may have within an hour, this one included; as many as it likes unless told. */
  readonly maxPerHour?: number | null;
};

export type LostRefresh = { readonly tenantId: string; readonly refresh: Refresh; readonly remainingMs: number };

/** How long an ended refresh stays readable. */
const KEEP_HOURS = 24;

export function createRefreshStore(db: TenantDb): RefreshStore {
  return {
    startOrJoin: (tenantId, refresh) => inTransaction(db.of(tenantId), (trx) => startOrJoin(trx, tenantId, refresh)),
    get: (tenantId, id) => get(db.of(tenantId), tenantId, id),
    updateSources: (tenantId, id, sources) => updateSources(db.of(tenantId), { tenantId, id, sources }),
    finish: (tenantId, id, { runnerId }) => inTransaction(db.of(tenantId), (trx) => finish(trx, { tenantId, id, runnerId })),
    async renew(tenantId, id, { runnerId, leaseSeconds }) {
      await sql`
        update refreshes set lease_until = now() + make_interval(secs => ${leaseSeconds})
        where tenant_id = ${tenantId} and id = ${id} and runner_id = ${runnerId} and status = 'running'`.execute(db.of(tenantId));
    },
    async handBack(tenantId, id, { runnerId }) {
      await sql`
        update refreshes set runner_id = null, lease_until = null
        where tenant_id = ${tenantId} and id = ${id} and runner_id = ${runnerId} and status = 'running'`.execute(db.of(tenantId));
    },
    takeOver: (lease, limit) => takeOver(db, lease, limit),
  };
}

async function startOrJoin(
  trx: Transaction<Schema>,
  tenantId: string,
  refresh: NewRefresh,
): Promise<{ refresh: Refresh; joined: boolean }> {
  const key = sourcesKey(refresh.sources);
  await interruptOverdue(trx, tenantId, key);
  for (;;) {
    const started = await insertRefresh(trx, { tenantId, key, refresh });
    const id = started ?? (await findRunning(trx, tenantId, key));
    // The one that was in the way has ended between the two questions.
    if (id === undefined) continue;
    if (started !== undefined) {
      if (typeof refresh.maxPerHour === 'number') await requireRoom(trx, tenantId, refresh.maxPerHour);
      await insertSources(trx, { tenantId, id, sources: refresh.sources });
      await removeOld(trx, tenantId);
    }
    const found = await get(trx, tenantId, id);
    if (found !== undefined) return { refresh: found, joined: started === undefined };
  }
}

/** Counts what is there already, the new one included. One after the other, since nobody sees what another has not committed. */
async function requireRoom(trx: Transaction<Schema>, tenantId: string, maxPerHour: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`chainfolio refreshes ${tenantId}`}, 0))`.execute(trx);
  const { rows } = await sql<{ wait_ms: string }>`
    select extract(epoch from started_at + interval '1 hour' - now()) * 1000 as wait_ms from refreshes
    where tenant_id = ${tenantId} and started_at > now() - interval '1 hour' order by started_at desc offset ${maxPerHour} limit 1`.execute(
    trx,
  );
  const [leaving] = rows;
  if (leaving === undefined) return;
  const detail = `${maxPerHour} refreshes may be started in an hour.`;
  throw new AppError('rate_limited', detail, { retryAfterMs: Math.max(0, Number(leaving.wait_ms)) });
}

/** The same for equal sets of sources, whatever their order. */
function sourcesKey(sources: readonly RefreshSource[]): string {
  const names = sources.map(({ walletId, chain, kind }) => `${walletId}/${chain}/${kind}`);
  return createHash('sha256')
    .update([...new Set(names)].sort().join('\n'))
    .digest('hex');
}

async function interruptOverdue(trx: Transaction<Schema>, tenantId: string, key: string): Promise<void> {
  const ended = await trx
    .updateTable('refreshes')
    .set({ status: 'interrupted', finished_at: sql<Date>`deadline_at` })
    .where('tenant_id', '=', tenantId)
    .where('sources_key', '=', key)
    .where('status', '=', 'running')
    .where('deadline_at', '<=', sql<Date>`now()`)
    .returning('id')
    .execute();
  await recordRefreshEnds(trx, tenantId, toIds(ended));
}

async function insertRefresh(
  trx: Transaction<Schema>,
  { tenantId, key, refresh }: { tenantId: string; key: string; refresh: NewRefresh },
): Promise<string | undefined> {
  const { walletIds, chains } = refresh.scope;
  const row = await trx
    .insertInto('refreshes')
    .values({
      tenant_id: tenantId,
      status: 'running',
      sources_key: key,
      scope_wallet_ids: walletIds === null ? null : [...walletIds],
      scope_chains: chains === null ? null : [...chains],
      deadline_at: refresh.deadlineAt,
      runner_id: refresh.lease.runnerId,
      lease_until: sql<Date>`now() + make_interval(secs => ${refresh.lease.leaseSeconds})`,
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'sources_key']).where('status', '=', sql.lit('running')).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

async function findRunning(trx: Transaction<Schema>, tenantId: string, key: string): Promise<string | undefined> {
  const row = await trx
    .selectFrom('refreshes')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('sources_key', '=', key)
    .where('status', '=', 'running')
    .executeTakeFirst();
  return row?.id;
}

type Held = { readonly tenantId: string; readonly id: string; readonly runnerId: string };

async function finish(trx: Transaction<Schema>, { tenantId, id, runnerId }: Held): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    with ended as (
      update refreshes set status = 'finished', finished_at = now()
      where tenant_id = ${tenantId} and id = ${id} and runner_id = ${runnerId} and status = 'running' returning id
    )
    select id, pg_notify(${REFRESH_CHANNEL}, id::text) from ended`.execute(trx);
  await recordRefreshEnds(trx, tenantId, toIds(rows));
}

function toIds(rows: readonly { readonly id: string }[]): readonly string[] {
  return rows.map(({ id }) => id);
}

/** Those of all tenants that are past their deadline and run by nobody. */
async function interruptAllOverdue(db: TenantDb): Promise<void> {
  const isOverdue = sql`status = 'running' and deadline_at <= now() and (lease_until is null or lease_until <= now())`;
  const { rows } = await sql<{ tenant_id: string }>`select distinct tenant_id from refreshes where ${isOverdue}`.execute(db.all);
  for (const { tenant_id: tenantId } of rows) {
    await inTransaction(db.of(tenantId), async (trx) => {
      const ended = await sql<{ id: string }>`
        with ended as (
          update refreshes set status = 'interrupted', finished_at = deadline_at
          where tenant_id = ${tenantId} and ${isOverdue} returning id
        )
        select id, pg_notify(${REFRESH_CHANNEL}, id::text) from ended`.execute(trx);
      await recordRefreshEnds(trx, tenantId, toIds(ended.rows));
    });
  }
}

async function takeOver(db: TenantDb, { runnerId, leaseSeconds }: Lease, limit: number): Promise<readonly LostRefresh[]> {
  await interruptAllOverdue(db);
  const { rows } = await sql<{ tenant_id: string; id: string; remaining_ms: string }>`
    update refreshes set runner_id = ${runnerId}, lease_until = now() + make_interval(secs => ${leaseSeconds})
    where (tenant_id, id) in (
      select tenant_id, id from refreshes
      where status = 'running' and deadline_at > now() and (lease_until is null or lease_until <= now())
      order by started_at limit ${limit} for update skip locked
    )
    returning tenant_id, id, extract(epoch from deadline_at - now()) * 1000 as remaining_ms`.execute(db.all);
  const taken = rows.map(async (row) => {
    const refresh = await get(db.of(row.tenant_id), row.tenant_id, row.id);
    return refresh === undefined ? [] : [{ tenantId: row.tenant_id, refresh, remainingMs: Number(row.remaining_ms) }];
  });
  return (await Promise.all(taken)).flat();
}

type SourcesOf = { readonly tenantId: string; readonly id: string; readonly sources: readonly RefreshSource[] };

async function insertSources(trx: Transaction<Schema>, { tenantId, id, sources }: SourcesOf): Promise<void> {
  await sql`
    insert into refresh_sources (tenant_id, refresh_id, wallet_id, chain, kind, status, error_code, error_provider, ordinal)
    select ${tenantId}, ${id}, i.* from ${sourceRows(sources)} on conflict do nothing`.execute(trx);
}

async function updateSources(db: Kysely<Schema>, { tenantId, id, sources }: SourcesOf): Promise<void> {
  if (sources.length === 0) return;
  await sql`
    update refresh_sources r set status = i.status, error_code = i.error_code, error_provider = i.error_provider
    from ${sourceRows(sources)}
    where r.tenant_id = ${tenantId} and r.refresh_id = ${id}
      and r.wallet_id = i.wallet_id and r.chain = i.chain and r.kind = i.kind`.execute(db);
}

function sourceRows(sources: readonly RefreshSource[]): ReturnType<typeof sql> {
  return sql`unnest(
    ${sources.map((source) => source.walletId)}::uuid[],
    ${sources.map((source) => source.chain)}::text[],
    ${sources.map((source) => source.kind)}::text[],
    ${sources.map((source) => source.status)}::text[],
    ${sources.map((source) => source.error?.code ?? null)}::text[],
    ${sources.map((source) => source.error?.provider ?? null)}::text[]
  ) with ordinality as i (wallet_id, chain, kind, status, error_code, error_provider, ordinal)`;
}

async function removeOld(trx: Transaction<Schema>, tenantId: string): Promise<void> {
  await trx
    .deleteFrom('refreshes')
    .where('tenant_id', '=', tenantId)
    .where('status', '<>', 'running')
    .where('started_at', '<', sql<Date>`now() - make_interval(hours => ${KEEP_HOURS})`)
    .execute();
}

async function get(db: Kysely<Schema>, tenantId: string, id: string): Promise<Refresh | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom('refreshes')
    .selectAll()
    .select(sql<boolean>`status = 'running' and deadline_at <= now()`.as('is_overdue'))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const sources = await db
    .selectFrom('refresh_sources')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('refresh_id', '=', id)
    .orderBy('ordinal')
    .execute();
  return {
    id: row.id,
    status: row.is_overdue ? 'interrupted' : row.status,
    scope: { walletIds: row.scope_wallet_ids, chains: row.scope_chains },
    startedAt: row.started_at,
    finishedAt: row.is_overdue ? row.deadline_at : row.finished_at,
    sources: sources.map(toRefreshSource),
  };
}

function toRefreshSource(row: Selectable<Schema['refresh_sources']>): RefreshSource {
  const { wallet_id: walletId, chain, kind, status, error_code: code, error_provider: provider } = row;
  return { walletId, chain, kind, status, error: code === null ? null : { code, provider } };
}
