import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRpcEndpointStore, type RpcEndpointStore } from '../../../src/db/endpoints/rpc-endpoint-store.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const ABSENT = '0198e000-0000-7000-8000-000000000001';
let database: TestDatabase;
let store: RpcEndpointStore;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createRpcEndpointStore(database.tenants);
});
afterAll(() => database.close());

it('keeps endpoints in the order in which they were set, each once a chain', async () => {
  const endpoint = { chain: 'base', url: 'https://a.example/v2/key', most: 3 };
  const first = await store.add(DEFAULT_TENANT_ID, endpoint);
  expect(first).toMatchObject({ chain: 'base', url: endpoint.url, createdAt: expect.any(Date) });
  expect(await store.add(DEFAULT_TENANT_ID, endpoint)).toBe('exists');
  const second = await store.add(DEFAULT_TENANT_ID, { ...endpoint, chain: 'gnosis' });
  expect(await store.list(DEFAULT_TENANT_ID)).toEqual([first, second]);
  for (const one of [first, second]) {
    expect(await store.remove(DEFAULT_TENANT_ID, typeof one === 'string' ? one : one.id)).toBe(true);
  }
  expect(await store.list(DEFAULT_TENANT_ID)).toEqual([]);
});

it('knows what is not there', async () => {
  expect(await store.remove(DEFAULT_TENANT_ID, ABSENT)).toBe(false);
  expect(await store.remove(DEFAULT_TENANT_ID, 'not an id')).toBe(false);
});

it('has room for so many of a chain, however many come at once', async () => {
  const add = (index: number) => store.add(DEFAULT_TENANT_ID, { chain: 'linea', url: `https://a.example/${index}`, most: 3 });
  const outcomes = await Promise.all(Array.from({ length: 10 }, (_, index) => add(index)));
  expect(outcomes.filter((outcome) => outcome === 'full')).toHaveLength(7);
  expect(await store.list(DEFAULT_TENANT_ID)).toHaveLength(3);
});
