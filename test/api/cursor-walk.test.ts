import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRoutes } from '../../src/api/server.ts';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { createDeliveryStore } from '../../src/db/webhooks/delivery-store.ts';
import { createWebhookStore } from '../../src/db/webhooks/webhook-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { type LedgerApi, startLedgerApi } from '../support/ledger-api.ts';
import { addAsset, addOtherTenant, addWallet, at, OTHER_TENANT_ID } from '../support/store-fixtures.ts';
import { buildAssetView, buildServerDeps, ownerOf } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';

const THINGS = 20;
const PAGE = 3;

type List = {
  readonly path: string;
  readonly field: string;
  /** Adds one more; `place` counts them. */
  readonly insert: (place: number) => Promise<unknown>;
};

let ledger: LedgerApi;
let api: TestApi;
/** Every list that goes on with a cursor, by its operation. */
let lists: Readonly<Record<string, List>>;
let tenantId: string = TENANT;

beforeAll(async () => {
  ledger = await startLedgerApi();
  const { db, tenants } = ledger.database;
  await addOtherTenant(db);
  const [wallets, assets, deliveries] = [createWalletStore(tenants), createAssetStore(tenants), createDeliveryStore(tenants)];
  const webhooks = createWebhookStore(tenants);
  const added = await webhooks.add(TENANT, { url: 'https://hooks.example/', description: null, eventTypes: null }, 9);
  const webhookId = added?.webhook.id ?? '';
  const services = {
    wallets: { list: wallets.list },
    assets: {
      list: async (tenant: string, options: Parameters<typeof assets.list>[1]) => {
        const page = await assets.list(tenant, options);
        return { assets: page.assets.map((asset) => buildAssetView({ asset })), nextId: page.nextId };
      },
    },
    webhooks: { listDeliveries: deliveries.list },
  };
  api = createTestApi(services, { authenticate: async () => ownerOf(tenantId) });
  lists = {
    listWallets: { path: '/wallets', field: 'wallets', insert: () => addWallet(db, TENANT) },
    listAssets: {
      path: '/assets',
      field: 'assets',
      insert: async () => assets.updateSettings(TENANT, (await addAsset(db)).id, { tracked: true }),
    },
    // Both above and below where the walk is.
    listTransactions: {
      path: '/transactions',
      field: 'transactions',
      insert: (place) =>
        ledger.add(ledger.deposit({ occurred_at: at((place * 37) % 100).toISOString(), reference: `walk ${place}` })),
    },
    listDeliveries: {
      path: `/webhooks/${webhookId}/deliveries`,
      field: 'deliveries',
      insert: () => deliveries.addTest(TENANT, webhookId),
    },
  };
});
afterAll(() => ledger.database.close());

async function readPage({ path, field }: List, cursor: string | null): Promise<{ ids: string[]; next: string | null }> {
  const call = path === '/transactions' ? ledger.call : api.call;
  const { status, body } = await call('GET', `${path}?limit=${PAGE}${cursor === null ? '' : `&cursor=${cursor}`}`);
  expect(status).toBe(200);
  return { ids: body[field].map(({ id }: { id: string }) => id), next: body.next_cursor };
}

/** All ids in the order of the walk; `meanwhile` goes on beside each page. */
async function walk(list: List, meanwhile: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const [page]: [Awaited<ReturnType<typeof readPage>>, unknown] = await Promise.all([readPage(list, cursor), meanwhile()]);
    seen.push(...page.ids);
    cursor = page.next;
  } while (cursor !== null);
  return seen;
}

describe.each(['listWallets', 'listAssets', 'listTransactions', 'listDeliveries'])('a walk through %s', (operation) => {
  it('meets all that was there once, whatever is added meanwhile', async () => {
    const list = lists[operation];
    if (list === undefined) throw new Error(`there is no list ${operation}`);
    let place = 0;
    while (place < THINGS) await list.insert(place++);
    const before = await walk(list, async () => undefined);
    expect(before.length).toBeGreaterThanOrEqual(THINGS);
    const seen = await walk(list, async () => (place < THINGS + 8 ? list.insert(place++) : undefined));
    expect(seen.length).toBe(new Set(seen).size);
    const known = new Set(before);
    expect(seen.filter((id) => known.has(id))).toEqual(before);
  });
});

it('each list that goes on with a cursor is walked', () => {
  const withCursor = createRoutes(buildServerDeps()).filter(({ query }) => 'cursor' in query.shape);
  expect(withCursor.map(({ operationId }) => operationId).toSorted()).toEqual(Object.keys(lists).toSorted());
});

it('a cursor of one tenant is none of another', async () => {
  const { next } = await readPage(lists.listWallets ?? { path: '', field: '', insert: async () => undefined }, null);
  tenantId = OTHER_TENANT_ID;
  const { status, body } = await api.call('GET', `/wallets?cursor=${next}`);
  tenantId = TENANT;
  expect([status, body.errors[0].code]).toEqual([400, 'invalid_cursor']);
});
