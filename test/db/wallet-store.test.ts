import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createWalletStore, type WalletStore } from '../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import {
  addAsset,
  addOtherTenant,
  amountOf,
  countStatements,
  newWallet,
  nextAddress,
  OTHER_TENANT_ID,
  readingOf,
  UNKNOWN_ID,
} from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: WalletStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createWalletStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());

describe('adding', () => {
  it('stores what is new and gives it back', async () => {
    const input = newWallet({ name: 'vitalik.eth', label: 'Cold', chains: ['base', 'ethereum'] });
    const [added] = await store.addMany(TENANT, [input]);
    expect(added).toEqual({
      created: true,
      wallet: { ...input, id: expect.any(String), createdAt: expect.any(Date), updatedAt: expect.any(Date), version: 1 },
    });
    expect(await store.get(TENANT, added?.wallet.id ?? '')).toEqual(added?.wallet);
  });

  it('keeps id, name, label and chains of a known address and gives it the chains it lacks', async () => {
    const first = newWallet({ name: 'a.eth', label: 'Mine', chains: ['ethereum', 'base'] });
    const [before] = await store.addMany(TENANT, [first]);
    const [again] = await store.addMany(TENANT, [
      { ...first, name: 'b.eth', label: 'Other', chains: ['polygon', 'base', 'arbitrum'] },
    ]);
    expect(again).toMatchObject({
      created: false,
      wallet: { ...first, id: before?.wallet.id, chains: ['ethereum', 'base', 'polygon', 'arbitrum'] },
    });
    const [unchanged] = await store.addMany(TENANT, [first]);
    expect(unchanged?.wallet).toEqual(again?.wallet);
  });

  it('takes the same address twice in one call for one wallet with all the chains', async () => {
    const address = nextAddress();
    const added = await store.addMany(TENANT, [
      newWallet({ address, label: 'first', chains: ['base'] }),
      newWallet({ address, label: 'second', chains: ['ethereum'] }),
    ]);
    expect(added.map((entry) => entry.created)).toEqual([true, false]);
    expect(added[0]?.wallet).toMatchObject({ label: 'first', chains: ['base', 'ethereum'] });
    expect(added[1]?.wallet).toEqual(added[0]?.wallet);
  });

  it('tells the families apart', async () => {
    const address = nextAddress();
    const added = await store.addMany(TENANT, [
      newWallet({ address }),
      newWallet({ address, family: 'solana', chains: ['solana'] }),
    ]);
    expect(added.map((entry) => entry.created)).toEqual([true, true]);
  });

  it('keeps the order of a thousand wallets, in few statements', async () => {
    const inputs = Array.from({ length: 1000 }, () =>
      newWallet({ address: `0x${crypto.randomUUID()}`, chains: ['gnosis', 'base'] }),
    );
    const counting = countStatements(database.tenants);
    const added = await createWalletStore(counting.db).addMany(TENANT, inputs);
    expect(counting.count()).toBe(5);
    expect(added.map((entry) => entry.wallet.address)).toEqual(inputs.map((input) => input.address));
    const listed = await store.list(TENANT, { limit: 1000, after: null, chain: 'gnosis' });
    expect(listed.wallets).toEqual(added.map((entry) => entry.wallet));
  });

  it('makes no duplicate and no deadlock when the same wallets are added at once in different orders', async () => {
    const inputs = Array.from({ length: 200 }, () => newWallet());
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.addMany(TENANT, index % 2 === 0 ? inputs : inputs.toReversed())),
    );
    expect(results.flat().filter((entry) => entry.created)).toHaveLength(200);
    expect(new Set(results.flat().map((entry) => entry.wallet.id)).size).toBe(200);
  });

  it('strips what Postgres and terminals choke on from names and labels', async () => {
    const label = `a\u0000b\u001b[31m\ud800'; drop table wallets; -- ${'é'.repeat(3)}`;
    const [added] = await store.addMany(TENANT, [newWallet({ label, name: '\u0000' })]);
    expect(added?.wallet).toMatchObject({ label: "ab[31m\ufffd'; drop table wallets; -- ééé", name: '' });
  });

  it('does nothing for an empty list', async () => {
    expect(await store.addMany(TENANT, [])).toEqual([]);
  });
});

describe('reading', () => {
  it('pages through all wallets once, oldest first', async () => {
    const all = await store.listAll(TENANT, { walletIds: null });
    const seen: string[] = [];
    for (let after = null as Parameters<WalletStore['list']>[1]['after']; ; ) {
      const page = await store.list(TENANT, { limit: 97, after, chain: null });
      seen.push(...page.wallets.map((wallet) => wallet.id));
      if (page.next === null) break;
      after = page.next;
    }
    expect(seen).toEqual(all.map((wallet) => wallet.id));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('keeps to the scope', async () => {
    const added = await store.addMany(TENANT, [newWallet(), newWallet(), newWallet()]);
    const ids = added.map((entry) => entry.wallet.id);
    const found = await store.listAll(TENANT, { walletIds: [ids[2] ?? '', ids[0] ?? '', UNKNOWN_ID, 'not an id'] });
    expect(found.map((wallet) => wallet.id)).toEqual([ids[0], ids[2]]);
    expect(await store.listAll(TENANT, { walletIds: [] })).toEqual([]);
  });

  it('knows nothing of ids that name nothing', async () => {
    expect(await store.get(TENANT, UNKNOWN_ID)).toBeUndefined();
    expect(await store.get(TENANT, "x'; drop table wallets")).toBeUndefined();
  });
});

describe('changing', () => {
  it('sets and takes away the label', async () => {
    const [added] = await store.addMany(TENANT, [newWallet({ label: 'old' })]);
    const id = added?.wallet.id ?? '';
    expect(await store.setLabel(TENANT, id, { label: 'new\u0000' })).toMatchObject({ id, label: 'new' });
    expect(await store.setLabel(TENANT, id, { label: null })).toMatchObject({ id, label: null });
    expect(await store.setLabel(TENANT, UNKNOWN_ID, { label: 'x' })).toBeUndefined();
    expect(await store.setLabel(TENANT, 'nonsense', { label: 'x' })).toBeUndefined();
  });

  it('deletes a wallet with its balances and sources, once', async () => {
    const [added] = await store.addMany(TENANT, [newWallet()]);
    const wallet = added?.wallet ?? expect.fail();
    const balances = createBalanceStore(database.tenants);
    const asset = await addAsset(database.db);
    await balances.saveReadings(TENANT, [readingOf(wallet, 1, [amountOf(asset, 5n)])]);
    expect(await store.delete(TENANT, wallet.id)).toBe(true);
    expect(await store.delete(TENANT, wallet.id)).toBe(false);
    expect(await store.delete(TENANT, 'nonsense')).toBe(false);
    const filter = { walletIds: [wallet.id], chains: null };
    expect(await balances.listHoldings(TENANT, filter)).toEqual([]);
    expect(await balances.listSources(TENANT, filter)).toEqual([]);
    expect((await store.addMany(TENANT, [newWallet({ address: wallet.address })]))[0]?.created).toBe(true);
  });

  it('gives a wallet that comes back the id that it had, however often, and whoever adds it at once', async () => {
    const input = newWallet({ label: 'once' });
    const [added] = await store.addMany(TENANT, [input]);
    const id = added?.wallet.id ?? '';
    for (let turn = 0; turn < 2; turn++) {
      await store.delete(TENANT, id);
      const again = { ...input, label: null };
      const others = [newWallet(), newWallet()];
      const both = await Promise.all([store.addMany(TENANT, [again, ...others]), store.addMany(TENANT, [...others, again])]);
      const backs = both.flat().filter(({ wallet }) => wallet.address === input.address);
      expect(backs.map(({ wallet }) => [wallet.id, wallet.label])).toEqual([
        [id, null],
        [id, null],
      ]);
      expect(backs.filter(({ created }) => created)).toHaveLength(1);
    }
    await store.delete(TENANT, id);
    const [theirs] = await store.addMany(OTHER_TENANT_ID, [input]);
    expect(theirs?.wallet.id).not.toBe(id);
    await store.delete(OTHER_TENANT_ID, theirs?.wallet.id ?? '');
  });
});

it("never sees or changes another tenant's wallets", async () => {
  const [mine] = await store.addMany(TENANT, [newWallet({ label: 'mine' })]);
  const wallet = mine?.wallet ?? expect.fail();
  expect(await store.get(OTHER_TENANT_ID, wallet.id)).toBeUndefined();
  expect(await store.setLabel(OTHER_TENANT_ID, wallet.id, { label: 'theirs' })).toBeUndefined();
  expect(await store.delete(OTHER_TENANT_ID, wallet.id)).toBe(false);
  expect(await store.listAll(OTHER_TENANT_ID, { walletIds: null })).toEqual([]);
  expect((await store.list(OTHER_TENANT_ID, { limit: 10, after: null, chain: null })).wallets).toEqual([]);
  expect(await store.get(TENANT, wallet.id)).toEqual(wallet);
  const [theirs] = await store.addMany(OTHER_TENANT_ID, [newWallet({ address: wallet.address, label: 'theirs' })]);
  expect(theirs).toMatchObject({ created: true, wallet: { label: 'theirs' } });
  expect(theirs?.wallet.id).not.toBe(wallet.id);
});
