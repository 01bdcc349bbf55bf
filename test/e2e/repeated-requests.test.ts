import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Service } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { request } from '../support/request.ts';
import { isolatedEnvironment } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const AT_ONCE = 50;

// Two instances of the service on one database.
let database: TestDatabase;
let services: readonly Service[];
let urls: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase();
  const environment = { LOG_LEVEL: 'silent', DATABASE_URL: database.url, EMBEDDED_WORKER: 'false', RATE_LIMIT_PER_MINUTE: '0' };
  services = await Promise.all([1, 2].map(() => compose(loadConfig(isolatedEnvironment(environment)))));
  urls = (await Promise.all(services.map((service) => service.start()))).map(({ url }) => `${url}/api/v1`);
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database.close();
});

/** An agent of one of the instances in turn. */
const instance = (index: number) => request(urls[index % urls.length] ?? '');

describe('a request that is sent again', () => {
  const createKey = (index: number) =>
    instance(index)
      .post('/keys')
      .set('Idempotency-Key', 'create-once')
      .send({ name: 'once', scopes: ['read:values'] });

  it('has one effect, however many come at once to both instances', async () => {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => createKey(index)));
    const first = answers.filter(({ status, headers }) => status === 201 && headers['idempotent-replayed'] === undefined);
    expect(first).toHaveLength(1);
    for (const { status, body } of answers) expect(status === 201 || body.code === 'idempotency_key_in_use').toBe(true);
    const { body } = await instance(0).get('/keys').expect(200);
    expect(body.keys.filter(({ name }: { name: string }) => name === 'once')).toHaveLength(1);

    const again = await createKey(1).expect(201);
    expect(again.headers['idempotent-replayed']).toBe('true');
    // What is shown once is kept nowhere, so that it cannot be told again.
    expect(first[0]?.body.key).toMatch(/^cpf_/);
    expect(again.body).toEqual({ ...first[0]?.body, key: null });
    const { rows } = await sql<{ answer: string }>`select answer from idempotency_keys`.execute(database.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.answer).not.toContain(first[0]?.body.key);
  });

  it('is another request with another body', async () => {
    const other = { name: 'other', scopes: ['admin'] };
    const { body } = await instance(1).post('/keys').set('Idempotency-Key', 'create-once').send(other).expect(422);
    expect(body.code).toBe('idempotency_key_reused');
  });
});

it('each instance goes on where the other ended, and knows its tags', async () => {
  for (const digit of ['1', '2', '3']) {
    await instance(0)
      .post('/wallets')
      .send({ address: `0x${digit.repeat(40)}`, chain: 'ethereum' })
      .expect(201);
  }
  const { body: page } = await instance(0).get('/wallets?limit=2').expect(200);
  const { body: rest } = await instance(1).get(`/wallets?limit=2&cursor=${page.next_cursor}`).expect(200);
  expect(rest.wallets).toHaveLength(1);

  const path = `/wallets/${rest.wallets[0].id}`;
  const { etag = '' } = (await instance(0).get(path).expect(200)).headers;
  const change = (index: number) =>
    instance(index)
      .patch(path)
      .set('If-Match', etag)
      .send({ label: `by ${index}` });
  const statuses = (await Promise.all([change(0), change(1)])).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 412]);
});
