import { sql, type Transaction } from 'kysely';
import type { NewEvent } from '../../domain/events/event.ts';
import type { Schema } from '../schema.ts';

/** Where new events are told: `<tenant> <seq of the last>`. */
export const EVENT_CHANNEL = 'chainfolio_events';

/** What a tenant's count begins at. */
export const FIRST_SEQ = sql`(extract(epoch from clock_timestamp()) * 1000000)::bigint`;

/**
 * Writes events down in the transaction of what they tell of, so that one is never without the other. To come late in it, before `noteChange`: it holds the
 * tenant's counter until the end, and who has read up to a number never misses a smaller one that is committed later. The count begins at the microsecond of
 * the first event, so that two databases never mean different events by one number.
 */
export async function recordEvents(trx: Transaction<Schema>, tenantId: string, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql`
    with counted as (
      insert into event_counters as c (tenant_id, last_seq) values (${tenantId}, ${FIRST_SEQ} + ${events.length})
      on conflict (tenant_id) do update set last_seq = c.last_seq + ${events.length}
      returning last_seq
    ), stored as (
      insert into events (tenant_id, seq, type, data)
      select ${tenantId}, counted.last_seq - ${events.length} + e.ordinal, e.type, e.data
      from counted, unnest(
        ${events.map(({ type }) => type)}::text[],
        ${events.map(({ data }) => JSON.stringify(data))}::jsonb[]
      ) with ordinality as e (type, data, ordinal)
    )
    select pg_notify(${EVENT_CHANNEL}, ${tenantId} || ' ' || last_seq) from counted`.execute(trx);
}
