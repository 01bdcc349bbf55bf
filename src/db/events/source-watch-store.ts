import { sql, type Transaction } from 'kysely';
import { staleAfterSeconds } from '../../domain/cadence.ts';
import type { NewEvent } from '../../domain/events/event.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { recordEvents } from './record-events.ts';

/** Which sources have become stale, or are so no more, and that this was told. */
export type SourceWatchStore = {
  /** Tenants of whom there is something to tell. @param baseSeconds How often a wallet is read that does nothing special. */
  listCrossed(baseSeconds: number): Promise<readonly string[]>;
  /** Tells of it, one event for each chain and kind; each crossing once, however many do this at once. */
  recordCrossed(tenantId: string, baseSeconds: number): Promise<void>;
};

type Crossed = {
  readonly wallet_id: string;
  readonly chain: string;
  readonly kind: string;
  readonly observed_at: Date | null;
  readonly error_code: string | null;
  readonly error_provider: string | null;
  readonly is_stale: boolean;
};

/** Tenants of one run; those that are left come next. */
const MAX_TENANTS = 1_000;
/** Sources of one run. */
const MAX_SOURCES = 10_000;
/** Of one event. */
const MAX_NAMED = 100;

export function createSourceWatchStore(db: TenantDb): SourceWatchStore {
  return {
    async listCrossed(baseSeconds) {
      const { rows } = await sql<{ tenant_id: string }>`
        select distinct s.tenant_id ${crossed(baseSeconds)} limit ${MAX_TENANTS}`.execute(db.all);
      return rows.map((row) => row.tenant_id);
    },
    recordCrossed: (tenantId, baseSeconds) =>
      inTransaction(db.of(tenantId), async (trx) => {
        const rows = await noteCrossed(trx, tenantId, baseSeconds);
        await recordEvents(trx, tenantId, toEvents(rows));
      }),
  };
}

/** From the sources `s` whose state is another one than was told. One that was never read counts from when its wallet was added. */
function crossed(baseSeconds: number): ReturnType<typeof sql> {
  return sql`
    from sources s
    join wallets v on v.tenant_id = s.tenant_id and v.id = s.wallet_id
    left join wallet_schedules w on w.tenant_id = s.tenant_id and w.wallet_id = s.wallet_id and w.chain = s.chain
    left join stale_sources t on t.tenant_id = s.tenant_id and t.wallet_id = s.wallet_id and t.chain = s.chain and t.kind = s.kind
    where ${isStale(baseSeconds)} <> (t.tenant_id is not null)`;
}

function isStale(baseSeconds: number): ReturnType<typeof sql> {
  // Which grows with the interval alone.
  const missedReads = staleAfterSeconds(1, null);
  return sql`(s.outcome <> 'unsupported' and coalesce(s.observed_at, v.created_at)
    < now() - make_interval(secs => greatest(${baseSeconds}::integer, w.interval_seconds) * ${missedReads}::integer))`;
}

async function noteCrossed(trx: Transaction<Schema>, tenantId: string, baseSeconds: number): Promise<readonly Crossed[]> {
  const { rows } = await sql<Crossed>`
    with crossed as materialized (
      select s.wallet_id, s.chain, s.kind, s.observed_at, s.error_code, s.error_provider, ${isStale(baseSeconds)} as is_stale
      ${crossed(baseSeconds)} and s.tenant_id = ${tenantId}
      order by s.wallet_id, s.chain, s.kind limit ${MAX_SOURCES}
    ), stale as (
      insert into stale_sources (tenant_id, wallet_id, chain, kind)
      select ${tenantId}, wallet_id, chain, kind from crossed where is_stale
      on conflict do nothing returning wallet_id, chain, kind
    ), recovered as (
      delete from stale_sources t using crossed c
      where not c.is_stale and t.tenant_id = ${tenantId} and (t.wallet_id, t.chain, t.kind) = (c.wallet_id, c.chain, c.kind)
      returning t.wallet_id, t.chain, t.kind
    )
    select c.* from crossed c join (select * from stale union all select * from recovered) n using (wallet_id, chain, kind)
    order by c.is_stale desc, c.chain, c.kind, c.wallet_id`.execute(trx);
  return rows;
}

function toEvents(rows: readonly Crossed[]): readonly NewEvent[] {
  const groups = Map.groupBy(rows, ({ is_stale, chain, kind }) => `${is_stale}/${chain}/${kind}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const wallets = group.slice(0, MAX_NAMED).map(({ wallet_id, observed_at, error_code: code, error_provider: provider }) => ({
      wallet_id,
      observed_at: observed_at?.toISOString() ?? null,
      error: code === null ? null : { code, provider },
    }));
    const { chain, kind } = first;
    const type = first.is_stale ? 'source.stale' : 'source.recovered';
    return [{ type, data: { chain, kind, wallet_count: group.length, wallets } } as const];
  });
}
