import { type Kysely, type Selectable, sql } from 'kysely';
import type { StoredEvent } from '../../domain/events/event.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { FIRST_SEQ } from './record-events.ts';

/** What happened to what a tenant holds, in the order in which it came to be seen. */
export type EventStore = {
  /** The number of the tenant's last event, or the one that its events will come after. */
  getLastSeq(tenantId: string): Promise<bigint>;
  /** Those that come after a number, in order. */
  listAfter(tenantId: string, seq: bigint, limit: number): Promise<readonly StoredEvent[]>;
  /** Whether nothing that came after this number has been deleted; false too for a number that is not the tenant's. */
  hasAllAfter(tenantId: string, seq: bigint): Promise<boolean>;
  /** Deletes what is older, of all tenants. Ends early when the signal fires. */
  removeOld(days: number, signal: AbortSignal): Promise<void>;
};

/** So many rows go with one statement, which takes well under a second. */
const BATCH_SIZE = 10_000;

export function createEventStore(db: TenantDb): EventStore {
  return {
    async getLastSeq(tenantId) {
      const known = await readLastSeq(db.of(tenantId), tenantId);
      if (known !== undefined) return known;
      await sql`
        insert into event_counters (tenant_id, last_seq) values (${tenantId}, ${FIRST_SEQ}) on conflict do nothing`.execute(
        db.of(tenantId),
      );
      return (await readLastSeq(db.of(tenantId), tenantId)) ?? 0n;
    },
    async listAfter(tenantId, seq, limit) {
      const rows = await db
        .of(tenantId)
        .selectFrom('events')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('seq', '>', seq.toString())
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(toEvent);
    },
    async hasAllAfter(tenantId, seq) {
      const { rows } = await sql`
        select from event_counters c
        where c.tenant_id = ${tenantId} and (c.last_seq = ${seq.toString()} or exists (
          select from events e where e.tenant_id = c.tenant_id and e.seq = ${seq.toString()}::bigint + 1
        ))`.execute(db.of(tenantId));
      return rows.length > 0;
    },
    async removeOld(days, signal) {
      while (!signal.aborted && (await removeBatch(db.all, days)) === BATCH_SIZE);
    },
  };
}

async function readLastSeq(db: Kysely<Schema>, tenantId: string): Promise<bigint | undefined> {
  const row = await db.selectFrom('event_counters').select('last_seq').where('tenant_id', '=', tenantId).executeTakeFirst();
  return row && BigInt(row.last_seq);
}

async function removeBatch(db: Kysely<Schema>, days: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from events e using (
      select tenant_id, seq from events where occurred_at < now() - make_interval(days => ${days}) order by occurred_at limit ${BATCH_SIZE}
    ) old where e.tenant_id = old.tenant_id and e.seq = old.seq`.execute(db);
  return Number(numAffectedRows ?? 0n);
}

function toEvent({ seq, id, type, data, occurred_at: occurredAt }: Selectable<Schema['events']>): StoredEvent {
  return { seq: BigInt(seq), id, type, data, occurredAt };
}
