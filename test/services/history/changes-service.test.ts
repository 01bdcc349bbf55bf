import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, at, UNKNOWN_ID } from '../../support/store-fixtures.ts';
import { createPastWorld, missingOf, type PastWorld, show } from './past-world.ts';

const HOUR = 3600;
let world: PastWorld;
let alice: Wallet;
let bob: Wallet;
let token: Asset;
let coin: Asset;

beforeAll(async () => {
  world = await createPastWorld();
});
afterAll(() => world.close());

/** Alice holds 10 tokens of 2 dollars, Bob 5 coins of 4. */
beforeEach(async () => {
  await world.reset();
  [alice, bob] = [await world.follow(-HOUR), await world.follow(-HOUR)];
  [token, coin] = [await world.list(), await world.list()];
  await world.hold(alice, token, 0, 1000n);
  await world.hold(bob, coin, 0, 500n);
  await world.quote(token, 0, '2');
  await world.quote(coin, 0, '4');
  await world.rate('EUR', 0, '0.5');
  await world.take(0);
});

describe('what changed', () => {
  it('is told by prices, the ledger and the currency', async () => {
    await world.quote(token, HOUR, '3');
    await world.rate('EUR', HOUR, '0.4');
    await world.hold(alice, token, HOUR, 1250n);
    await world.record(alice, token, HOUR - 60, 'deposit', 300n);
    await world.record(alice, token, HOUR - 50, 'fee', -40n);
    await world.record(alice, token, HOUR - 40, 'withdrawal', -20n);
    await world.record(alice, token, HOUR - 30, 'income', 5n);
    await world.take(HOUR);
    expect(show(await world.explain(0, HOUR))).toEqual({
      from: '40',
      to: '57.5',
      price: '10',
      quantity_in: '9',
      quantity_out: '-0.6',
      fees: '-1.2',
      income: '0.15',
      unexplained: '0.15',
    });
    expect(show(await world.explain(0, HOUR, { currency: 'EUR' }))).toEqual({
      from: '20',
      to: '23',
      price: '5',
      fx: '-5',
      quantity_in: '3.6',
      quantity_out: '-0.24',
      fees: '-0.48',
      income: '0.06',
      unexplained: '0.06',
    });
  });

  it('nets transfers between wallets, and shows them where only one is looked at', async () => {
    await world.hold(alice, token, HOUR, 900n);
    await world.hold(bob, token, HOUR, 100n);
    await world.record(alice, token, HOUR - 60, 'internal', -100n);
    await world.record(bob, token, HOUR - 60, 'internal', 100n);
    await world.take(HOUR);
    expect(show(await world.explain(0, HOUR))).toEqual({ from: '40', to: '40' });
    expect(show(await world.explain(0, HOUR, { walletIds: [alice.id] }))).toEqual({ from: '20', to: '18', internal: '-2' });
    const { groups } = await world.explain(0, HOUR, { groupBy: 'wallet' });
    expect(new Map(groups.map(({ walletId, parts }) => [walletId, parts.get('internal')?.toFixed()]))).toEqual(
      new Map([
        [alice.id, '-2'],
        [bob.id, '2'],
      ]),
    );
  });

  it('lists each asset with what was held of it, and adds up to the whole', async () => {
    await world.hold(alice, coin, HOUR, 100n);
    await world.take(HOUR);
    const { groups } = await world.explain(0, null);
    const rows = groups.map(({ asset, start, end }) => [
      asset?.asset.id,
      asset?.startRaw,
      asset?.endRaw,
      start.toFixed(),
      end.toFixed(),
    ]);
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual([token.id, 1000n, 1000n, '20', '20']);
    expect(rows).toContainEqual([coin.id, 500n, 600n, '20', '24']);
    expect((await world.explain(0, null, { groupBy: 'none' })).groups).toEqual([]);
  });

  it('knows a token that was never seen in a wallet that had been read', async () => {
    await world.hold(alice, coin, HOUR, 100n);
    await world.take(HOUR);
    expect(show(await world.explain(0, HOUR))).toEqual({ from: '40', to: '44', newly_found: '4' });
  });

  it('knows a wallet that was added, and one that was taken away', async () => {
    const carol = await world.follow(HOUR / 2);
    await world.hold(carol, token, HOUR, 300n);
    await world.take(HOUR);
    expect(show(await world.explain(0, HOUR))).toEqual({ from: '40', to: '46', wallet_added: '6' });
    await world.unfollow(bob);
    await world.quote(coin, 2 * HOUR, '5');
    await world.take(2 * HOUR);
    expect(show(await world.explain(HOUR, 2 * HOUR))).toEqual({ from: '46', to: '26', price: '5', wallet_removed: '-25' });
    expect(show(await world.explain(HOUR, 2 * HOUR, { walletIds: [bob.id] }))).toEqual({
      from: '20',
      to: '0',
      price: '5',
      wallet_removed: '-25',
    });
  });

  it('tells the first read of an old wallet as an opening, and an arrival in an empty one as found', async () => {
    const [late, empty] = [await world.follow(-HOUR), await world.follow(-HOUR)];
    await world.take(HOUR, { missing: [missingOf(late, { reason: 'never', observedAt: null })] });
    await world.hold(late, token, 2 * HOUR, 300n);
    await world.hold(empty, coin, 2 * HOUR, 100n);
    await world.take(2 * HOUR);
    expect(show(await world.explain(HOUR, 2 * HOUR))).toEqual({ from: '40', to: '50', wallet_added: '6', newly_found: '4' });
  });

  it('knows what moved while a source was away', async () => {
    await world.take(HOUR, { missing: [missingOf(alice)] });
    await world.hold(alice, token, 2 * HOUR, 1100n);
    await world.hold(alice, coin, 2 * HOUR, 200n);
    await world.record(alice, token, 2 * HOUR - 60, 'deposit', 70n);
    await world.take(2 * HOUR);
    expect(show(await world.explain(HOUR, 2 * HOUR))).toEqual({ from: '40', to: '50', quantity_in: '1.4', source_back: '8.6' });
    const { start, end } = await world.explain(HOUR, 2 * HOUR, { walletIds: [bob.id] });
    expect([start.missing, end.missing]).toEqual([[], []]);
    const sol = await addAsset(world.db, { chain: 'solana' });
    expect((await world.explain(HOUR, 2 * HOUR, { assetIds: [sol.id] })).start.missing).toEqual([]);
    expect((await world.explain(HOUR, 2 * HOUR, { assetIds: [coin.id] })).start.missing).toHaveLength(1);
    expect((await world.explain(HOUR, 2 * HOUR)).start).toMatchObject({
      snapshot: { grade: 'partial' },
      missing: [{ walletId: alice.id, reason: 'failed' }],
    });
  });

  it('knows what nobody reads any more in a wallet that is followed', async () => {
    await world.db.deleteFrom('balances').where('wallet_id', '=', alice.id).execute();
    await world.take(HOUR, { missing: [missingOf(alice)] });
    expect(show(await world.explain(0, HOUR))).toEqual({ from: '40', to: '20', source_failed: '-20' });
  });

  it('tells a price that was found', async () => {
    const unknown = await world.list();
    await world.hold(alice, unknown, HOUR, 100n);
    await world.take(HOUR);
    await world.hold(alice, unknown, 2 * HOUR, 300n);
    await world.quote(unknown, 2 * HOUR, '7');
    await world.take(2 * HOUR);
    const found = await world.explain(HOUR, 2 * HOUR);
    expect(show(found)).toEqual({ from: '40', to: '61', price_found: '7', unexplained: '14' });
    expect([found.start.unpricedCount, found.end.unpricedCount]).toEqual([1, 0]);
  });

  it('tells what was reclassified by the word of the time, and what charts say of it', async () => {
    await world.say(coin, { spam: 'spam' });
    await world.quote(coin, HOUR, '1000000');
    await world.take(HOUR, { excluded: [coin] });
    const marked = await world.explain(0, HOUR);
    expect(show(marked)).toEqual({ from: '40', to: '20', spam_reclassified: '-20' });
    expect([marked.start, marked.end].map(({ chartValue }) => chartValue?.toFixed())).toEqual(['20', '20']);
    await world.quote(coin, 2 * HOUR, '5');
    await world.say(coin, { spam: 'not_spam' });
    await world.take(2 * HOUR);
    const cleared = await world.explain(HOUR, 2 * HOUR);
    expect(show(cleared)).toEqual({ from: '20', to: '45', spam_reclassified: '25' });
    expect(cleared.start.chartValue?.toFixed()).toBe('5000020');
    expect(show(await world.explain(0, 2 * HOUR))).toEqual({ from: '40', to: '45', price: '5' });
  });

  it('values all of it by the word of today where nothing was reclassified in between', async () => {
    await world.take(HOUR);
    await world.say(coin, { spam: 'spam' });
    await world.say(token, { manualPrice: '10' });
    expect(show(await world.explain(0, HOUR))).toEqual({ from: '100', to: '100' });
  });

  it('begins with nothing before the first snapshot', async () => {
    const found = await world.explain(-2 * HOUR, 0);
    expect(show(found)).toEqual({ from: '0', to: '40', wallet_added: '40' });
    expect(found.start).toMatchObject({ asked: at(-2 * HOUR), snapshot: null, missing: [] });
  });

  it('tells what was found later in a wallet that was added in the same time', async () => {
    await world.hold(alice, coin, HOUR, 100n);
    await world.take(HOUR);
    expect(show(await world.explain(-2 * HOUR, HOUR))).toEqual({ from: '0', to: '44', wallet_added: '40', newly_found: '4' });
  });

  it('says which snapshots tell the two moments', async () => {
    await world.take(HOUR);
    const { start, end } = await world.explain(HOUR - 1, 3 * HOUR);
    expect([start.snapshot?.at, end.snapshot?.at]).toEqual([at(0), at(HOUR)]);
    expect(show(await world.explain(HOUR, 3 * HOUR))).toEqual({ from: '40', to: '40' });
  });

  it('says the same when snapshots have been thinned out in between', async () => {
    const old = -400 * 24 * HOUR;
    await world.reset();
    alice = await world.follow(old - HOUR);
    for (const minutes of [0, 20, 40, 65, 85, 130, 150]) {
      const seconds = old + minutes * 60;
      await world.hold(alice, token, seconds, BigInt(1000 + minutes));
      await world.quote(token, seconds, String(2 + minutes));
      await world.rate('EUR', seconds, `0.${50 + minutes}`);
      await world.take(seconds);
    }
    const ends = [old + 40 * 60, old + 150 * 60] as const;
    const before = show(await world.explain(...ends, { currency: 'EUR' }));
    await world.thin();
    expect(await world.db.selectFrom('snapshots').select('at').execute()).toHaveLength(3);
    expect(show(await world.explain(...ends, { currency: 'EUR' }))).toEqual(before);
  });

  it('still knows what was there at first, when its first amount is kept no more', async () => {
    const old = -400 * 24 * HOUR;
    await world.reset();
    alice = await world.follow(old - HOUR);
    await world.hold(alice, coin, old, 500n);
    for (const minutes of [0, 20, 70]) {
      await world.hold(alice, token, old + minutes * 60, BigInt(1000 + minutes));
      await world.take(old + minutes * 60);
    }
    const ends = [old - HOUR, old + 20 * 60] as const;
    await world.thin();
    expect(await world.db.selectFrom('snapshots').select('at').execute()).toHaveLength(2);
    expect(show(await world.explain(...ends))).toEqual({ from: '0', to: '40.4', wallet_added: '40.4' });
  });

  it('has no difference in a currency whose rate was not known', async () => {
    await world.rate('CHF', HOUR, '0.8');
    await world.take(HOUR);
    const found = await world.explain(0, HOUR, { currency: 'CHF' });
    expect(show(found)).toEqual({ from: null, to: '32' });
    expect(found).toMatchObject({ total: null, groups: [] });
  });

  it('refuses what it cannot answer', async () => {
    await expect(world.explain(HOUR, HOUR)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(world.explain(-2 * HOUR, -HOUR)).rejects.toMatchObject({ code: 'snapshot_not_found' });
    const year0 = new Date('0000-01-01T00:00:00Z');
    await expect(world.explain(0, 1, { from: year0 })).resolves.toMatchObject({ start: { asked: year0, snapshot: null } });
    await expect(world.explain(0, HOUR, { walletIds: [UNKNOWN_ID] })).rejects.toMatchObject({ code: 'wallet_not_found' });
    await expect(world.explain(0, HOUR, { assetIds: [UNKNOWN_ID] })).rejects.toMatchObject({ code: 'asset_not_found' });
    await expect(world.explain(0, HOUR, { chains: ['nowhere'] })).rejects.toMatchObject({ code: 'unknown_chain' });
  });

  it('narrows down to assets and chains', async () => {
    await world.hold(alice, token, HOUR, 1100n);
    await world.hold(bob, coin, HOUR, 600n);
    await world.take(HOUR);
    expect(show(await world.explain(0, HOUR, { assetIds: [coin.id] }))).toEqual({ from: '20', to: '24', unexplained: '4' });
    expect(show(await world.explain(0, HOUR, { chains: ['base'] }))).toEqual({ from: '0', to: '0' });
  });
});
