import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKeyStore, type KeyStore, type NewKey } from '../../../src/db/access/key-store.ts';
import { ID_BYTES, SECRET_BYTES, toKeyParts, writeKey } from '../../../src/domain/api-key.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let store: KeyStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createKeyStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());
beforeEach(async () => void (await database.db.deleteFrom('api_keys').execute()));

const LIMIT = 5;

function newKey(overrides: Partial<NewKey> = {}): NewKey {
  const { id, secret } = toKeyParts({ id: randomBytes(ID_BYTES), secret: randomBytes(SECRET_BYTES) });
  const secretHash = createHash('sha256').update(secret).digest();
  return { id, name: 'test', scopes: ['read:values'], expiresAt: null, secretHash, ...overrides };
}

async function age(id: string, days: number): Promise<void> {
  await sql`update api_keys set revoked_at = now() - make_interval(days => ${days}) where id = ${id}`.execute(database.db);
}

describe('a key', () => {
  it('is kept without what opens the door, and found by its id whose ever it is', async () => {
    const key = newKey({ scopes: ['write', 'read:percent'], expiresAt: new Date('2030-01-01') });
    const added = await store.add(OTHER_TENANT_ID, key, LIMIT);
    const { secretHash, ...rest } = key;
    expect(added).toEqual({ ...rest, createdAt: expect.any(Date), lastUsedAt: null, revokedAt: null, replacedBy: null });
    expect(await store.find(key.id)).toEqual({ ...added, tenantId: OTHER_TENANT_ID, secretHash });
    expect(await store.find('AAAAAAAAAAAA')).toBeUndefined();
  });

  it('cannot be made again from all that the database has of it', async () => {
    const { id, secret } = toKeyParts({ id: randomBytes(ID_BYTES), secret: randomBytes(SECRET_BYTES) });
    await store.add(TENANT, newKey({ id, secretHash: createHash('sha256').update(secret).digest() }), LIMIT);
    const { rows } = await sql<{ row: string }>`select k::text as row from api_keys k`.execute(database.db);
    const dump = rows.map(({ row }) => row).join();
    expect(dump).toContain(id);
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
    expect(dump).not.toContain(writeKey({ id, secret }).slice(17, 40));
  });

  it('is nobody else’s to see, to replace or to revoke', async () => {
    const key = newKey();
    await store.add(TENANT, key, LIMIT);
    expect(await store.list(OTHER_TENANT_ID)).toEqual([]);
    expect(await store.get(OTHER_TENANT_ID, key.id)).toBeUndefined();
    expect(await store.revoke(OTHER_TENANT_ID, key.id)).toBe(false);
    expect(await store.replace(OTHER_TENANT_ID, { oldId: key.id, key: newKey(), overlapSeconds: 0 })).toBeUndefined();
    expect(await store.get(TENANT, key.id)).toMatchObject({ revokedAt: null, replacedBy: null });
  });

  it('stays revoked since it first was', async () => {
    const key = newKey();
    await store.add(TENANT, key, LIMIT);
    expect(await store.revoke(TENANT, key.id)).toBe(true);
    const before = await store.get(TENANT, key.id);
    expect(await store.revoke(TENANT, key.id)).toBe(true);
    expect(await store.get(TENANT, key.id)).toEqual(before);
  });

  it('notes its use once a minute', async () => {
    const key = newKey();
    await store.add(TENANT, key, LIMIT);
    await store.noteUse(TENANT, key.id);
    const first = (await store.get(TENANT, key.id))?.lastUsedAt;
    expect(first).toEqual(expect.any(Date));
    await store.noteUse(TENANT, key.id);
    expect((await store.get(TENANT, key.id))?.lastUsedAt).toEqual(first);
    await sql`update api_keys set last_used_at = now() - interval '61 seconds'`.execute(database.db);
    await store.noteUse(TENANT, key.id);
    expect((await store.get(TENANT, key.id))?.lastUsedAt?.getTime()).toBeGreaterThanOrEqual(first?.getTime() ?? 0);
  });
});

describe('the number of keys', () => {
  it('is bounded, by however many they are made at once', async () => {
    const made = await Promise.all(Array.from({ length: LIMIT + 5 }, () => store.add(TENANT, newKey(), LIMIT)));
    expect(made.filter((key) => key !== undefined)).toHaveLength(LIMIT);
  });

  it('counts those that can be used, and forgets those that ended a month ago', async () => {
    const [old, recent, expired] = [newKey(), newKey(), newKey({ expiresAt: new Date(Date.now() - 1000) })];
    for (const key of [old, recent, expired]) await store.add(TENANT, key, LIMIT);
    await age(old.id, 31);
    await age(recent.id, 29);
    for (let i = 0; i < LIMIT; i++) expect(await store.add(TENANT, newKey(), LIMIT)).toBeDefined();
    expect(await store.add(TENANT, newKey(), LIMIT)).toBeUndefined();
    const ids = (await store.list(TENANT)).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([recent.id, expired.id]));
    expect(ids).not.toContain(old.id);
  });
});

describe('a replacement', () => {
  it('leaves the old key its overlap, or its own end if that comes first', async () => {
    const soon = new Date(Date.now() + 60_000);
    const [endless, short] = [newKey(), newKey({ expiresAt: soon })];
    for (const key of [endless, short]) {
      await store.add(TENANT, key, LIMIT);
      const next = newKey();
      expect((await store.replace(TENANT, { oldId: key.id, key: next, overlapSeconds: 3600 }))?.id).toBe(next.id);
      expect((await store.get(TENANT, key.id))?.replacedBy).toBe(next.id);
    }
    const endOf = async (id: string) => (await store.get(TENANT, id))?.expiresAt?.getTime() ?? 0;
    expect(Math.abs((await endOf(endless.id)) - Date.now() - 3_600_000)).toBeLessThan(300_000);
    expect(await endOf(short.id)).toBe(soon.getTime());
  });

  it('happens once, by however many it is asked for', async () => {
    const old = newKey();
    await store.add(TENANT, old, LIMIT);
    const replace = () => store.replace(TENANT, { oldId: old.id, key: newKey(), overlapSeconds: 60 });
    const made = await Promise.all(Array.from({ length: 8 }, replace));
    expect(made.filter((key) => key !== undefined)).toHaveLength(1);
    expect(await store.list(TENANT)).toHaveLength(2);
  });

  it('is not for a key that has ended', async () => {
    const [revoked, expired] = [newKey(), newKey({ expiresAt: new Date(Date.now() - 1000) })];
    for (const key of [revoked, expired]) await store.add(TENANT, key, LIMIT);
    await store.revoke(TENANT, revoked.id);
    for (const { id } of [revoked, expired]) {
      expect(await store.replace(TENANT, { oldId: id, key: newKey(), overlapSeconds: 60 })).toBeUndefined();
    }
  });
});

describe('the first key', () => {
  it('is made once, by however many processes start at once, and after it is written down', async () => {
    const write = vi.fn(async () => expect(await store.list(TENANT)).toEqual([]));
    const made = await Promise.all(Array.from({ length: 5 }, () => store.addFirst(TENANT, newKey({ scopes: ['admin'] }), write)));
    expect(made.filter((key) => key !== undefined)).toHaveLength(1);
    expect(write).toHaveBeenCalledTimes(1);
  });

  it('is not made when it could not be written down', async () => {
    const fail = () => Promise.reject(new Error('no room'));
    await expect(store.addFirst(TENANT, newKey(), fail)).rejects.toThrow('no room');
    expect(await store.list(TENANT)).toEqual([]);
  });

  it('is made again when nobody has one that may do everything', async () => {
    const lost = newKey({ scopes: ['admin'] });
    await store.add(TENANT, lost, LIMIT);
    await store.add(TENANT, newKey({ scopes: ['write'] }), LIMIT);
    const write = async () => undefined;
    expect(await store.addFirst(TENANT, newKey({ scopes: ['admin'] }), write)).toBeUndefined();
    await store.revoke(TENANT, lost.id);
    expect(await store.addFirst(TENANT, newKey({ scopes: ['admin'] }), write)).toBeDefined();
  });
});
