import { z } from 'zod';
import { EVENT_TYPES, type StoredEvent } from '../../domain/events/event.ts';
import { closeRedis, createRedis, type RedisClient } from '../../lib/redis.ts';
import type { EventRelay } from '../event-relay.ts';

type RelayOptions = {
  /** One URL, or several nodes of one cluster, comma-separated. */
  readonly url: string;
  readonly log: Log;
  readonly onCommand: (command: { readonly client: 'events'; readonly isGood: boolean; readonly seconds: number }) => void;
};

type Log = { warn(details: object, message: string): void };

type Listener = (events: readonly StoredEvent[]) => void;

/** Whoever waits longer reads for itself. */
const COMMAND_TIMEOUT_MS = 100;
/** Longer than it takes all processes to hear of an event. */
const CLAIM_MS = 10_000;
const PREFIX = 'chainfolio:events:';
const MAX_MESSAGE_LENGTH = 4_000_000;

/** Redis as a relay that may lose anything at any time. */
export function createRedisEventRelay({ url, log, onCommand }: RelayOptions): EventRelay {
  const connect = (): RedisClient => createRedis({ url, name: 'chainfolio-events', log, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const client = connect();
  // One that listens can do nothing else.
  const subscriber = connect();
  const listeners = new Map<string, Set<Listener>>();
  const run = async <T>(command: () => Promise<T>, otherwise: T): Promise<T> => {
    const startedAt = performance.now();
    let isGood = false;
    try {
      const answer = await command();
      isGood = true;
      return answer;
    } catch {
      return otherwise;
    } finally {
      onCommand({ client: 'events', isGood, seconds: (performance.now() - startedAt) / 1000 });
    }
  };
  subscriber.on('message', (channel: string, message: string) => {
    const all = listeners.get(channel.slice(PREFIX.length));
    const events = all === undefined ? undefined : parseEvents(message);
    if (events !== undefined) for (const listener of all ?? []) listener(events);
  });
  // Whatever was subscribed to while there was no connection, or lost with the last one.
  subscriber.on('ready', () => {
    if (listeners.size > 0) void run(() => subscriber.subscribe(...[...listeners.keys()].map((id) => PREFIX + id)), undefined);
  });
  return {
    claim: async (tenantId, seq) =>
      (await run(() => client.set(`${PREFIX}${tenantId}:${seq}`, '', 'PX', CLAIM_MS, 'NX'), 'OK')) === 'OK',
    publish(tenantId, events) {
      void run(() => client.publish(PREFIX + tenantId, writeEvents(events)), 0);
    },
    subscribe(tenantId, listener) {
      const all = listeners.get(tenantId) ?? new Set();
      listeners.set(tenantId, all.add(listener));
      if (all.size === 1) void run(() => subscriber.subscribe(PREFIX + tenantId), undefined);
      return () => {
        all.delete(listener);
        if (all.size > 0 || listeners.get(tenantId) !== all) return;
        listeners.delete(tenantId);
        void run(() => subscriber.unsubscribe(PREFIX + tenantId), undefined);
      };
    },
    async close() {
      await Promise.all([closeRedis(client), closeRedis(subscriber)]);
    },
  };
}

const messageSchema = z.array(
  z.strictObject({
    id: z.uuid(),
    seq: z
      .string()
      .regex(/^\d{1,19}$/)
      .transform(BigInt),
    type: z.enum(EVENT_TYPES),
    occurredAt: z.iso.datetime().transform((text) => new Date(text)),
    data: z.record(z.string(), z.unknown()),
  }),
);

function writeEvents(events: readonly StoredEvent[]): string {
  return JSON.stringify(events.map((event) => ({ ...event, seq: event.seq.toString() })));
}

/** What another release has published may not be of this form: it is read from the database then. */
function parseEvents(message: string): readonly StoredEvent[] | undefined {
  if (message.length > MAX_MESSAGE_LENGTH) return undefined;
  try {
    return messageSchema.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
