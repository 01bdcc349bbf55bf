import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { etagOfVersion, readIfMatch } from '../../src/api/entity-tag.ts';
import { createAlertStore } from '../../src/db/alerts/alert-store.ts';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { createWebhookStore } from '../../src/db/webhooks/webhook-store.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { AppError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { Wallet } from '../../src/domain/wallet.ts';
import { addAsset, addWallet } from '../support/store-fixtures.ts';
import { ownerOf } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const RACERS = 20;

let database: TestDatabase;
let api: TestApi;
let wallet: Wallet;

beforeAll(async () => {
  database = await createTestDatabase();
  const store = createWalletStore(database.tenants);
  const found = <T>(thing: T | undefined | false): T => {
    if (thing === undefined || thing === false) throw new AppError('wallet_not_found', 'There is none.');
    return thing;
  };
  const wallets = {
    get: async (tenant: string, id: string) => found(await store.get(tenant, id)),
    setLabel: async (tenant: string, id: string, change: Parameters<typeof store.setLabel>[2]) =>
      found(await store.setLabel(tenant, id, change)),
    delete: async (tenant: string, id: string, ifVersion: readonly number[] | null) => {
      found(await store.delete(tenant, id, ifVersion));
    },
  };
  api = createTestApi({ wallets }, { authenticate: async () => ownerOf(TENANT) });
});
beforeEach(async () => {
  wallet = await addWallet(database.db, TENANT);
});
afterAll(() => database.close());

const read = () => api.call('GET', `/wallets/${wallet.id}`);
const label = (text: string, tag?: string) =>
  api.call('PATCH', `/wallets/${wallet.id}`, { body: { label: text }, headers: tag === undefined ? {} : { 'If-Match': tag } });
const remove = (tag: string) => api.call('DELETE', `/wallets/${wallet.id}`, { headers: { 'If-Match': tag } });

describe('a change with If-Match', () => {
  it('goes through with the tag that was read, and gives the next one', async () => {
    const tag = (await read()).headers.etag ?? '';
    expect(tag).toMatch(/^"1-[\w-]{27}"$/);
    const first = await label('one', tag);
    expect([first.status, first.headers.etag]).toEqual([200, (await read()).headers.etag]);
    expect(first.headers.etag).toMatch(/^"2-/);
    expect((await label('two', `"9-${'x'.repeat(27)}", ${first.headers.etag}`)).status).toBe(200);
  });

  it('is refused once somebody else has changed it, and changes nothing', async () => {
    const tag = (await read()).headers.etag ?? '';
    await label('theirs');
    for (const answer of [await label('mine', tag), await remove(tag)]) {
      expect([answer.status, answer.body.code]).toEqual([412, 'precondition_failed']);
    }
    expect((await read()).body.label).toBe('theirs');
  });

  it('is refused when the wallet gained a chain', async () => {
    const tag = (await read()).headers.etag ?? '';
    const { family, address, name } = wallet;
    await createWalletStore(database.tenants).addMany(TENANT, [{ family, address, name, label: null, chains: ['base'] }]);
    expect((await label('mine', tag)).status).toBe(412);
  });

  it.each(['W/"1-aaaaaaaaaaaaaaaaaaaaaaaaaaa"', '"1"', 'nonsense', '"', ''])('takes %j for no tag', async (tag) => {
    expect((await label('mine', tag)).status).toBe(412);
  });

  it('goes through with a star, and a missing wallet is missing whatever the tag', async () => {
    expect((await label('any', '*')).status).toBe(200);
    expect((await remove((await read()).headers.etag ?? '')).status).toBe(204);
    expect((await label('gone', '"1-aaaaaaaaaaaaaaaaaaaaaaaaaaa"')).body.code).toBe('wallet_not_found');
  });

  it('is won by one of many who read the same', async () => {
    const tag = (await read()).headers.etag ?? '';
    const answers = await Promise.all(Array.from({ length: RACERS }, (_, racer) => label(`racer ${racer}`, tag)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(RACERS - 1);
    expect((await read()).body).toEqual(won[0]?.body);
  });

  it('loses nothing when everybody tries again until it is through', async () => {
    const add = async (racer: number): Promise<void> => {
      for (;;) {
        const { body, headers } = await read();
        const next = `${body.label ?? ''}${String.fromCharCode(97 + racer)}`;
        if ((await label(next, headers.etag)).status === 200) return;
      }
    };
    await Promise.all(Array.from({ length: 6 }, (_, racer) => add(racer)));
    expect([...(await read()).body.label].toSorted().join('')).toBe('abcdef');
  });
});

describe('settings of an asset', () => {
  it('have version zero until something is said, and one first word', async () => {
    const { id } = await addAsset(database.db);
    const store = createAssetStore(database.tenants);
    const say = (ifVersion: readonly number[]) => store.updateSettings(TENANT, id, { spam: 'spam', ifVersion });
    await expect(say([1])).rejects.toMatchObject({ code: 'precondition_failed' });
    expect((await store.getSettings(TENANT, [id])).size).toBe(0);
    const outcomes = await Promise.allSettled(Array.from({ length: RACERS }, () => say([0])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await store.getSettings(TENANT, [id])).get(id)).toMatchObject({ spam: 'spam', version: 1 });
    expect(await say([7, 1])).toMatchObject({ version: 2 });
  });
});

it('a tag is read back as its version, and no other text is one', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999), fc.json(), (version, body) => {
      expect(readIfMatch(etagOfVersion(version, body).ETag)).toEqual([version]);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readIfMatch(`x${text}`)).toEqual([]);
    }),
  );
  expect(etagOfVersion(1, { a: 1 })).not.toEqual(etagOfVersion(1, { a: 2 }));
  expect([readIfMatch(undefined), readIfMatch(' * ')]).toEqual([null, null]);
});

describe('webhooks and alerts', () => {
  const rule = {
    ...({ kind: 'value', walletId: null, assetId: null, currency: 'USD', name: null, direction: 'above' } as const),
    ...{ threshold: new Decimal(1), hysteresis: new Decimal(0), cooldownSeconds: 60, isEnabled: true },
  };
  it.each(['webhook', 'alert'] as const)('a change of a %s is meant for the version that was read', async (kind) => {
    const { tenants } = database;
    const [webhooks, alerts] = [createWebhookStore(tenants), createAlertStore(tenants)];
    const webhook = { url: 'https://hooks.example/', description: null, eventTypes: null };
    const added = kind === 'alert' ? await alerts.add(TENANT, rule, 9) : (await webhooks.add(TENANT, webhook, 9))?.webhook;
    const { id, version } = added ?? { id: '', version: 0 };
    const change = (ifVersion: readonly number[]) =>
      kind === 'alert'
        ? alerts.update(TENANT, id, { isEnabled: false, ifVersion })
        : webhooks.update(TENANT, id, { isEnabled: false, ifVersion });
    const outcomes = await Promise.allSettled(Array.from({ length: RACERS }, () => change([version])));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const store = kind === 'alert' ? alerts : webhooks;
    await expect(store.delete(TENANT, id, [version])).rejects.toMatchObject({ code: 'precondition_failed' });
    expect(await store.get(TENANT, id)).toMatchObject({ version: version + 1 });
    expect(await store.delete(TENANT, id, [version + 1])).toBe(true);
    expect(await store.delete(TENANT, id, [version + 1])).toBe(false);
  });
});
