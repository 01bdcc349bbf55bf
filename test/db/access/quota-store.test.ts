import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQuotaStore, type QuotaStore } from '../../../src/db/access/quota-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { UNKNOWN_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let store: QuotaStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createQuotaStore(database.tenants);
});
afterAll(() => database.close());

it('knows nothing of a tenant for which nothing was set', async () => {
  expect(await store.get(TENANT)).toEqual({});
});

it('keeps what was set, changes what is named and leaves the rest', async () => {
  expect(await store.set(TENANT, { wallets: 0, requestsPerMinute: 60 })).toBe(true);
  expect(await store.get(TENANT)).toEqual({ wallets: 0, requestsPerMinute: 60 });
  await store.set(TENANT, { refreshesPerHour: 7, wallets: 12 });
  expect(await store.get(TENANT)).toEqual({ wallets: 12, requestsPerMinute: 60, refreshesPerHour: 7 });
  await store.set(TENANT, { requestsPerMinute: null });
  expect(await store.get(TENANT)).toEqual({ wallets: 12, refreshesPerHour: 7 });
});

it('has no quotas for a tenant that is not there', async () => {
  expect(await store.set(UNKNOWN_ID, { wallets: 1 })).toBe(false);
  expect(await store.get(UNKNOWN_ID)).toEqual({});
});
