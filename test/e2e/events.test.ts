import pg from 'pg';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { compose, type Service } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { recordEvents } from '../../src/db/events/record-events.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { type EventClient, openEvents } from '../support/event-client.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { request } from '../support/request.ts';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };

// Two instances of the service on one database and one Redis.
let database: TestDatabase;
let redis: RedisServer;
let one: Instance;
let other: Instance;
type Instance = { readonly events: string; readonly url: string; readonly service: Service };

function environment(overrides: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return isolatedEnvironment({
    DATABASE_URL: database.url,
    REDIS_CACHE_URL: redis.url,
    RATE_LIMIT_PER_MINUTE: '0',
    ...overrides,
  });
}

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<Instance> {
  const service = await compose(loadConfig(environment({ LOG_LEVEL: 'silent', ...overrides })));
  const { url } = await service.start();
  return { service, url, events: `${url}/api/v1/events` };
}

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startRedisServer()]);
  [one, other] = await Promise.all([start(), start()]);
});
afterAll(async () => {
  redis.thaw();
  await Promise.all([one.service.stop(), other.service.stop()]);
  await Promise.all([database.close(), redis.close()]);
});

let number = 0;
/** Writes down so many events, each with a number of its own. */
async function happen(count = 1): Promise<number> {
  for (let left = count; left > 0; left--) {
    const data = { number: ++number };
    await database.db.transaction().execute((trx) => recordEvents(trx, TENANT, [{ type: 'wallet.added', data }]));
  }
  return number;
}

async function follow(url: string, lastEventId: string | null = null): Promise<EventClient> {
  const client = await openEvents(url, { lastEventId });
  onTestFinished(() => client.close());
  expect(client.status).toBe(200);
  return client;
}

function numbersOf(client: EventClient): readonly number[] {
  return client.events.filter(({ type }) => type === 'wallet.added').map(({ data }) => data.data.number);
}

const hasHeard = (client: EventClient, last: number) =>
  expect.poll(() => numbersOf(client).at(-1) ?? 0, PATIENCE).toBeGreaterThanOrEqual(last);

const range = (from: number, through: number) => Array.from({ length: through - from + 1 }, (_, index) => from + index);

it('begins with how things stand, then tells both instances’ readers of each event once, in order', async () => {
  const first = (await happen()) + 1;
  const clients = await Promise.all([one, other, one, other].map(({ events }) => follow(events)));
  const snapshots = await Promise.all(clients.map((client) => client.until(({ type }) => type === 'snapshot')));
  for (const { data, id } of snapshots) {
    expect(data).toMatchObject({ currency: 'USD', total_usd_value: '0', complete: true, source_counts: { ok: 0 }, sources: [] });
    expect(id).toBe(clients[0]?.events[0]?.id);
  }
  const last = await happen(50);
  for (const client of clients) {
    await hasHeard(client, last);
    expect(numbersOf(client)).toEqual(range(first, last));
    const told = client.events.filter(({ type }) => type === 'wallet.added');
    for (const { id, data } of told) expect(data.seq).toBe(id);
    const seqs = told.map(({ id }) => BigInt(id ?? 0));
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0n) + BigInt(index)));
  }
});

it('tells of what the API does, on whichever instance', async () => {
  const client = await follow(other.events);
  await client.until(({ type }) => type === 'snapshot');
  const address = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
  const { body } = await request(one.url).post('/api/v1/wallets').send({ address, chain: 'ethereum', label: 'cold' }).expect(201);
  const { data } = await client.until(({ type }) => type === 'wallet.added');
  expect(data).toMatchObject({
    type: 'wallet.added',
    data: { wallet_id: body.id, address, chains: ['ethereum'], label: 'cold' },
  });
  // A wallet that was never read leaves the total unknown.
  expect((await client.until(({ type }) => type === 'portfolio')).data).toMatchObject({ total_usd_value: null, complete: false });
  await request(one.url).post('/api/v1/portfolio/refresh').set('Prefer', 'wait=30').send({}).expect(200);
  const failed = await client.until(({ type }) => type === 'refresh.failed');
  expect(failed.data.data).toMatchObject({
    status: 'finished',
    source_counts: { ok: 0, failed: 1, pending: 0 },
    failed_sources: [{ wallet_id: body.id, chain: 'ethereum', kind: 'balances', error: { code: 'upstream_unreachable' } }],
  });
  await request(one.url).delete(`/api/v1/wallets/${body.id}`).expect(204);
  expect((await client.until(({ type }) => type === 'wallet.removed')).data.data).toMatchObject({ wallet_id: body.id, address });
});

it('loses nothing and repeats nothing for a reader that moves from instance to instance', async () => {
  const heard: number[] = [];
  const first = (await happen()) + 1;
  let client = await follow(one.events);
  await client.until(({ type }) => type === 'snapshot');
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await happen();
  })();
  for (let move = 0; move < 8; move++) {
    const before = number;
    await hasHeard(client, before);
    const { lastId } = client;
    heard.push(...numbersOf(client));
    client.close();
    await client.ended;
    client = await follow((move % 2 === 0 ? other : one).events, lastId);
  }
  isOver = true;
  await writing;
  await hasHeard(client, number);
  heard.push(...numbersOf(client));
  expect(client.events.some(({ type }) => type === 'snapshot')).toBe(false);
  expect(heard).toEqual(range(first, number));
});

it('goes on without Redis, and without the connection over which the database tells', async () => {
  const clients = await Promise.all([one, other].map(({ events }) => follow(events)));
  await Promise.all(clients.map((client) => client.until(({ type }) => type === 'snapshot')));
  const first = number + 1;
  await happen(10);
  redis.freeze();
  await happen(10);
  redis.thaw();
  await redis.kill();
  await happen(10);
  await redis.restart();
  await happen(10);
  await terminateListeners();
  const last = await happen(20);
  for (const client of clients) {
    await hasHeard(client, last);
    expect(numbersOf(client)).toEqual(range(first, last));
  }
});

async function terminateListeners(): Promise<void> {
  const client = new pg.Client(database.url);
  await client.connect();
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chainfolio-feed' and datname = current_database()",
  );
  await client.end();
}

it('begins anew where a reader was away for too long, or says what nobody knows', async () => {
  await happen(3);
  const { rows } = await recent();
  const [oldest = '0', ...others] = rows.map(({ seq }) => seq);
  await database.db
    .deleteFrom('events')
    .where('seq', '<=', others[0] ?? '0')
    .execute();
  for (const unknown of [oldest, '5', '999999999999999999', 'nonsense', '99999999999999999999999']) {
    const client = await follow(one.events, unknown);
    await client.until(({ type }) => type === 'snapshot');
  }
  // What came after the last one that is gone is all there.
  const client = await follow(other.events, others[0] ?? null);
  await client.until(({ type }) => type === 'portfolio');
  expect(client.events.map(({ type }) => type)).toEqual(['wallet.added', 'portfolio']);
});

async function recent(): Promise<{ readonly rows: readonly { readonly seq: string }[] }> {
  const rows = await database.db.selectFrom('events').select('seq').orderBy('seq', 'desc').limit(3).execute();
  return { rows: rows.toReversed() };
}

it('tells only what was asked for', async () => {
  const client = await follow(`${one.events}?types=wallet.removed,snapshot.taken`);
  await client.until(({ type }) => type === 'snapshot');
  await database.db.transaction().execute((trx) =>
    recordEvents(trx, TENANT, [
      { type: 'wallet.added', data: { number: ++number } },
      { type: 'wallet.removed', data: {} },
    ]),
  );
  await client.until(({ type }) => type === 'wallet.removed');
  expect(client.events.map(({ type }) => type)).toEqual(['snapshot', 'wallet.removed']);
});

it('sends readers elsewhere when it stops, and finds them all again after a restart', async () => {
  const first = number + 1;
  const instance: ServiceProcess = await startServiceProcess({ environment: environment({ LOG_LEVEL: 'info' }) });
  const leaving = await follow(`${instance.url}/api/v1/events`);
  await leaving.until(({ type }) => type === 'snapshot');
  await hasHeard(leaving, await happen(5));
  const { code } = await instance.stop();
  await leaving.ended;
  expect(code).toBe(0);
  expect(leaving.retryMs).toBeGreaterThanOrEqual(1_000);
  expect(leaving.text.trimEnd()).toMatch(/retry: \d+$/);
  await happen(5);
  const back = await follow(one.events, leaving.lastId);
  await hasHeard(back, number);
  expect([...numbersOf(leaving), ...numbersOf(back)]).toEqual(range(first, number));
});

it('ends for a key that is revoked, and does not begin again', async () => {
  const made = await runScript('keys', { environment: environment(), args: ['create', '--name', 'admin', '--scopes', 'admin'] });
  const admin = { 'X-API-Key': /cpf_\w{62}/.exec(made.output)?.[0] ?? '' };
  const locked = await start({ API_KEYS_REQUIRED: 'true' });
  onTestFinished(async () => void (await locked.service.stop()));
  const api = request(`${locked.url}/api/v1`);
  const { body } = await api
    .post('/keys')
    .set(admin)
    .send({ name: 'guest', scopes: ['read:values'] })
    .expect(201);
  const headers = { Authorization: `Bearer ${body.key}` };
  const client = await openEvents(locked.events, { headers });
  await client.until(({ type }) => type === 'snapshot');
  const staying = await openEvents(locked.events, { headers: admin });
  await api.delete(`/keys/${body.id}`).set(admin).expect(204);
  await client.ended;
  expect((await openEvents(locked.events, { headers })).status).toBe(401);
  expect((await openEvents(locked.events)).status).toBe(401);
  await happen();
  await hasHeard(staying, number);
  staying.close();
});
