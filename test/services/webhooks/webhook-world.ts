import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { Webhook as Verifier } from 'standardwebhooks';
import { recordEvents } from '../../../src/db/events/record-events.ts';
import { inTransaction } from '../../../src/db/transaction.ts';
import { createAttemptStore } from '../../../src/db/webhooks/attempt-store.ts';
import { createDeliveryStore } from '../../../src/db/webhooks/delivery-store.ts';
import { createWebhookStore } from '../../../src/db/webhooks/webhook-store.ts';
import type { EventType } from '../../../src/domain/events/event.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { createHttpClient, type HttpClient } from '../../../src/lib/http-client.ts';
import { formatWebhookSecret } from '../../../src/lib/webhook-signature.ts';
import { type AttemptEnd, createDeliveryService, type DeliveryService } from '../../../src/services/webhooks/delivery-service.ts';
import { createWebhookService, type WebhookService } from '../../../src/services/webhooks/webhook-service.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

/** A message as it arrived. */
export type Received = {
  readonly path: string;
  readonly id: string;
  readonly timestamp: number;
  readonly body: string;
  readonly headers: Record<string, string>;
};
type Answer = { readonly status: number; readonly headers?: Record<string, string> } | 'cut';
type Worker = DeliveryService & { readonly ends: readonly AttemptEnd[] };

export type WebhookWorld = {
  readonly database: TestDatabase;
  readonly webhooks: WebhookService;
  readonly received: Received[];
  url(path: string): string;
  /** What a path answers, 200 unless told. It may keep the sender waiting. */
  answer(path: string, respond: (message: Received) => Answer | Promise<Answer>): void;
  /** A webhook at a path, and its secret as its owner has it. */
  add(path: string, eventTypes?: readonly EventType[] | null): Promise<{ readonly id: string; readonly secret: string }>;
  /** Has events happen, the number of each in its data. */
  happen(count: number, type?: EventType, tenantId?: string): Promise<void>;
  addWorker(http?: Pick<HttpClient, 'send'>): Worker;
  /** Lets time pass for all that waits for it. */
  elapse(seconds: number): Promise<void>;
  /** Deletes everything between tests. */
  clear(): Promise<void>;
  close(): Promise<void>;
};

/** Webhooks over a real database, with a real server that is told and any number of workers that tell it. */
export async function createWebhookWorld(): Promise<WebhookWorld> {
  const database = await createTestDatabase();
  const { db, tenants } = database;
  const received: Received[] = [];
  const answers = new Map<string, (message: Received) => Answer | Promise<Answer>>();
  const server = createServer(async (request, response) => {
    const message = toReceived(request, await text(request));
    received.push(message);
    const respond = answers.get(message.path);
    const answer = respond === undefined ? { status: 200 } : await respond(message);
    if (answer === 'cut') request.socket.destroy();
    else response.writeHead(answer.status, answer.headers).end('<p>of no interest</p>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = (path: string): string => `http://127.0.0.1:${port}${path}`;
  const http = createHttpClient();
  const workers: Worker[] = [];
  const webhooks = createWebhookService({
    webhooks: createWebhookStore(tenants),
    deliveries: createDeliveryStore(tenants),
    checkUrl: async (address) => new URL(address),
  });
  const clear = async (): Promise<void> => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()));
    await sql`delete from webhooks`.execute(db);
    answers.clear();
    received.length = 0;
  };
  return {
    database,
    webhooks,
    received,
    url,
    answer: (path, respond) => void answers.set(path, respond),
    async add(path, eventTypes = null) {
      const added = await webhooks.add(TENANT, { url: url(path), eventTypes, description: null });
      return { id: added.webhook.id, secret: formatWebhookSecret(added.secret) };
    },
    happen: (count, type = 'refresh.failed', tenantId = TENANT) =>
      inTransaction(tenants.of(tenantId), (trx) =>
        recordEvents(
          trx,
          tenantId,
          Array.from({ length: count }, (_, number) => ({ type, data: { number: String(number) } })),
        ),
      ),
    addWorker(client = http) {
      const ends: AttemptEnd[] = [];
      const service = createDeliveryService({
        attempts: createAttemptStore(tenants),
        http: client,
        now: () => new Date(),
        random: () => 0,
        onAttempt: (end) => void ends.push(end),
        log: { warn: () => undefined },
      });
      const worker = { ...service, ends };
      workers.push(worker);
      return worker;
    },
    async elapse(seconds) {
      const by = sql`make_interval(secs => ${seconds})`;
      await sql`update webhook_deliveries set due_at = due_at - ${by} where due_at is not null`.execute(db);
      await sql`update webhooks set failing_since = failing_since - ${by}, paused_until = paused_until - ${by}, old_secret_until = old_secret_until - ${by}`.execute(
        db,
      );
    },
    clear,
    async close() {
      await clear();
      server.closeAllConnections();
      server.close();
      await http.close();
      await database.close();
    },
  };
}

function toReceived(request: IncomingMessage, body: string): Received {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const [id = '', timestamp = ''] = [headers['webhook-id'], headers['webhook-timestamp']];
  return { path: request.url ?? '', id, timestamp: Number(timestamp), body, headers };
}

/** What the reference library makes of a message. Throws when it is not genuine. */
export function verify(secret: string, { body, headers }: Pick<Received, 'body' | 'headers'>): unknown {
  return new Verifier(secret).verify(body, headers);
}
