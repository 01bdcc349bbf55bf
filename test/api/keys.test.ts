import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../src/api/middleware/authenticate.ts';
import { createKeyStore } from '../../src/db/access/key-store.ts';
import { createIdempotencyStore } from '../../src/db/requests/idempotency-store.ts';
import { SCOPES } from '../../src/domain/access.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { createAttemptLimit } from '../../src/lib/attempt-limit.ts';
import { createKeyService, type KeyService } from '../../src/services/access/key-service.ts';
import { createIdempotencyService } from '../../src/services/requests/idempotency-service.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../support/store-fixtures.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let keys: KeyService;
let api: TestApi;
/** A key of this tenant and one of another, which may do everything. */
let admin: string;
let stranger: string;

beforeAll(async () => {
  database = await createTestDatabase();
  await addOtherTenant(database.db);
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('api_keys').execute();
  const now = () => new Date();
  keys = createKeyService({ store: createKeyStore(database.tenants), now });
  const attempts = createAttemptLimit({ max: 100, windowMs: 60_000 });
  const authenticate = createAuthenticate({ keys, isRequired: true, clientOf: () => 'client', attempts });
  const idempotency = createIdempotencyService({
    store: createIdempotencyStore(database.tenants),
    log: { warn: () => undefined },
  });
  api = createTestApi({ keys, idempotency }, { authenticate, now });
  const make = async (tenantId: string) =>
    (await keys.create(tenantId, { name: 'admin', scopes: ['admin'], expiresAt: null })).text;
  [admin, stranger] = [await make(TENANT), await make(OTHER_TENANT_ID)];
});

type Method = 'GET' | 'POST' | 'DELETE';

const call = (method: Method, path: string, { key = admin, body }: { key?: string; body?: object } = {}) =>
  api.call(method, path, { headers: { 'X-API-Key': key }, ...(body === undefined ? {} : { body }) });
const create = (body: object = { name: 'Dashboard', scopes: ['read:values'] }) => call('POST', '/keys', { body });
const isGood = async (key: string): Promise<boolean> => (await call('GET', '/chains', { key })).status === 200;

describe('a new key', () => {
  it('is shown once, and opens what its scopes say', async () => {
    const { status, body, headers } = await create({
      name: 'Dashboard',
      scopes: ['read:values'],
      expires_at: '2999-01-01T00:00:00+02:00',
    });
    expect(status).toBe(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers.location).toBe(`/api/v1/keys/${body.id}`);
    expect(body).toMatchObject({
      name: 'Dashboard',
      status: 'active',
      expires_at: '2998-12-31T22:00:00.000Z',
      last_used_at: null,
    });
    expect(body.key.split('_')[1]).toBe(body.id);
    expect(await isGood(body.key)).toBe(true);
    expect((await call('GET', '/keys', { key: body.key })).status).toBe(403);
    const lookAgain = () => call('GET', `/keys/${body.id}`);
    // Noted beside the request.
    await expect.poll(async () => (await lookAgain()).body.last_used_at).toEqual(expect.any(String));
    const again = await lookAgain();
    expect(again.body.id).toBe(body.id);
    expect(JSON.stringify([again.body, (await call('GET', '/keys')).body])).not.toContain(body.key.slice(17, 30));
  });

  it('is neither kept for a request that is repeated nor made twice', async () => {
    const headers = { 'X-API-Key': admin, 'Idempotency-Key': 'once' };
    const make = () => api.call('POST', '/keys', { headers, body: { name: 'Dashboard', scopes: ['write'] } });
    const first = (await make()).body;
    const again = await make();
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual({ ...first, key: null });
    const { rows } = await sql<{ row: string }>`select k::text as row from idempotency_keys k`.execute(database.db);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(first.key.slice(17));
  });

  it.each<[string, object, string]>([
    ['no scope', { name: 'a', scopes: [] }, '/body/scopes'],
    ['an unknown scope', { name: 'a', scopes: ['root'] }, '/body/scopes/0'],
    ['a scope twice', { name: 'a', scopes: ['write', 'write'] }, '/body/scopes'],
    ['no name', { scopes: ['write'] }, '/body/name'],
    ['a name of control characters', { name: 'a\u0000', scopes: ['write'] }, '/body/name'],
    ['an end that has passed', { name: 'a', scopes: ['write'], expires_at: '2020-01-01T00:00:00Z' }, '/body/expires_at'],
    ['another tenant', { name: 'a', scopes: ['write'], tenant_id: OTHER_TENANT_ID }, '/body'],
    ['a secret of one’s own', { name: 'a', scopes: ['write'], secret_hash: 'x' }, '/body'],
  ])('with %s is refused', async (_, body, pointer) => {
    const refused = await create(body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors[0].pointer).toContain(pointer);
  });

  it('is one of a hundred', async () => {
    for (let i = 0; i < 99; i++) await keys.create(TENANT, { name: `${i}`, scopes: ['write'], expiresAt: null });
    const refused = await create();
    expect([refused.status, refused.body.code]).toEqual([403, 'quota_exceeded']);
    const { body } = await call('GET', '/keys');
    expect(body.keys).toHaveLength(100);
    expect((await call('POST', `/keys/${body.keys[0].id}/rotate`)).body.code).toBe('quota_exceeded');
  });
});

describe('a rotated key', () => {
  it('holds beside the new one until the overlap is over', async () => {
    const old = (await create({ name: 'Dashboard', scopes: ['write', 'read:percent'] })).body;
    const { status, body } = await call('POST', `/keys/${old.id}/rotate`, { body: { overlap_seconds: 3600 } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'Dashboard', scopes: old.scopes, expires_at: null, status: 'active' });
    expect([await isGood(old.key), await isGood(body.key)]).toEqual([true, true]);
    expect((await call('GET', `/keys/${old.id}`)).body).toMatchObject({ replaced_by: body.id, expires_at: expect.any(String) });
    expect((await call('POST', `/keys/${old.id}/rotate`)).body.code).toBe('conflict');
  });

  it('ends at once without an overlap', async () => {
    const old = (await create()).body;
    expect(await isGood(old.key)).toBe(true);
    await call('POST', `/keys/${old.id}/rotate`, { body: { overlap_seconds: 0 } });
    expect(await isGood(old.key)).toBe(false);
  });

  it('is followed by one with as long a life', async () => {
    const old = (await create({ name: 'a', scopes: ['write'], expires_at: new Date(Date.now() + 86_400_000).toISOString() }))
      .body;
    const { body } = await call('POST', `/keys/${old.id}/rotate`);
    const lifeOf = (key: { created_at: string; expires_at: string }) => Date.parse(key.expires_at) - Date.parse(key.created_at);
    expect(Math.abs(lifeOf(body) - lifeOf(old))).toBeLessThan(60_000);
    expect(Date.parse(body.expires_at)).toBeGreaterThan(Date.parse(old.expires_at));
  });
});

describe('a revoked key', () => {
  it('opens nothing any more, and is still shown', async () => {
    const { body } = await create();
    expect(await isGood(body.key)).toBe(true);
    expect((await call('DELETE', `/keys/${body.id}`)).status).toBe(204);
    expect(await isGood(body.key)).toBe(false);
    expect((await call('DELETE', `/keys/${body.id}`)).status).toBe(204);
    expect((await call('GET', `/keys/${body.id}`)).body).toMatchObject({ status: 'revoked', revoked_at: expect.any(String) });
    expect((await call('POST', `/keys/${body.id}/rotate`)).body.code).toBe('conflict');
  });

  it('may be the one that revokes', async () => {
    const id = admin.split('_')[1];
    expect((await call('DELETE', `/keys/${id}`)).status).toBe(204);
    expect((await call('GET', '/keys')).status).toBe(401);
  });
});

describe('a key of another tenant', () => {
  it.each<[Method, string]>([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/rotate'],
  ])('is as none to %s %s', async (method, suffix) => {
    const { body } = await create();
    const strange = await call(method, `/keys/${body.id}${suffix}`, { key: stranger });
    const missing = await call(method, `/keys/AAAAAAAAAAAA${suffix}`, { key: stranger });
    expect(strange.status).toBe(404);
    const told = ({ title, detail, code }: typeof strange.body) => ({ title, detail, code });
    expect(told(strange.body)).toEqual(told(missing.body));
    expect(await isGood(body.key)).toBe(true);
  });

  it('is in no list', async () => {
    await create();
    expect((await call('GET', '/keys', { key: stranger })).body.keys).toHaveLength(1);
  });
});

it.each(SCOPES.filter((scope) => scope !== 'admin'))('keys are not managed with %s', async (scope) => {
  const { text } = await keys.create(TENANT, { name: 'a', scopes: [scope], expiresAt: null });
  for (const [method, path] of [
    ['GET', '/keys'],
    ['POST', '/keys'],
    ['DELETE', '/keys/AAAAAAAAAAAA'],
  ] as const) {
    expect((await call(method, path, { key: text, ...(method === 'POST' ? { body: {} } : {}) })).status).toBe(403);
  }
});
