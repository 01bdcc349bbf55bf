import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import type { Statement } from '../../../src/services/history/statement-service.ts';
import { at } from '../../support/store-fixtures.ts';
import { createPastWorld, EVERYTHING, missingOf, type PastWorld } from './past-world.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Days of Berlin end at 23:00 UTC: eleven hours after the moment of 0, less a part of a second. */
const CLOSE = 11 * HOUR;
let world: PastWorld;
let alice: Wallet;
let bob: Wallet;
let token: Asset;
let coin: Asset;

beforeAll(async () => {
  // 2026-11-24T12:00Z
  world = await createPastWorld(at(3 * DAY));
});
afterAll(() => world.close());

beforeEach(async () => {
  await world.reset();
  [alice, bob] = [await world.follow(-HOUR), await world.follow(-HOUR)];
  [token, coin] = [await world.list(), await world.list()];
  await world.hold(alice, token, 0, 1000n);
  await world.hold(bob, coin, 0, 500n);
});

const state = (date: string, overrides: { timeZone?: string; currency?: string } = {}): Promise<Statement> =>
  world.statements.getStatement(TENANT, { date, timeZone: 'Europe/Berlin', currency: 'USD', ...overrides });

/** Prices of both that are not old at the moment, and a snapshot. */
async function snap(seconds: number): Promise<void> {
  await world.quote(token, seconds, '2');
  await world.quote(coin, seconds, '4');
  await world.rate('EUR', seconds, '0.5');
  await world.take(seconds);
}

describe("a statement of a day's close", () => {
  it('tells what was held, with its price, its block and its sums', async () => {
    await snap(CLOSE - 60);
    await world.hold(alice, coin, CLOSE - 30, 100n);
    await world.take(CLOSE);
    const statement = await state('2026-11-21', { currency: 'EUR' });
    expect(statement).toMatchObject({ unpricedCount: 0, excludedCount: 0, estimates: [], snapshot: { at: at(CLOSE - 60) } });
    expect([statement.usdValue.toFixed(), statement.value?.toFixed()]).toEqual(['40', '20']);
    const rows = statement.holdings.map(({ walletId, asset, amount, price, block, value }) => [
      walletId,
      asset.id,
      amount?.toFixed(),
      price?.value.toFixed(),
      price?.quotedAt,
      block?.number,
      value?.toFixed(),
    ]);
    expect(rows).toEqual([
      [alice.id, token.id, '10', '2', at(CLOSE - 60), 100_000_000n, '10'],
      [bob.id, coin.id, '5', '4', at(CLOSE - 60), 100_000_000n, '10'],
    ]);
    expect(statement.byWallet.get(alice.id)?.value?.toFixed()).toBe('10');
    expect(statement.byAsset.get(coin.id)?.usdValue.toFixed()).toBe('20');
    expect(statement.byChain.get('ethereum')?.usdValue.toFixed()).toBe('40');
  });

  it('is what the chart says of the day, in every zone', async () => {
    for (const seconds of [0, 6 * HOUR, CLOSE - 1, CLOSE, DAY, DAY + 6 * HOUR, 2 * DAY - 1]) {
      await world.hold(alice, token, seconds, BigInt(1000 + seconds));
      await snap(seconds);
    }
    for (const timeZone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia']) {
      for (const date of ['2026-11-22', '2026-11-23']) {
        const { usdValue, day } = await state(date, { timeZone });
        const options = { step: '1d', timeZone, currency: 'USD', series: 'total', fill: 'none' } as const;
        const { points } = await world.history.getHistory(TENANT, { ...EVERYTHING, ...options, from: day.start, to: day.end });
        expect(usdValue.toFixed(), `${date} in ${timeZone}`).toBe(points[0]?.usdValue?.toFixed());
      }
    }
  });

  it('names what is not of the close itself', async () => {
    await world.quote(token, 0, '2');
    await world.rate('EUR', 0, '0.5');
    await world.take(HOUR, { missing: [missingOf(bob)] });
    const { estimates, unpricedCount, holdings } = await state('2026-11-22', { currency: 'EUR' });
    const nothing = { walletId: null, chain: null, kind: null, assetId: null };
    expect(estimates).toEqual([
      { ...nothing, reason: 'no_snapshot_that_day', asOf: at(HOUR) },
      { ...nothing, reason: 'source_missing', walletId: bob.id, chain: 'ethereum', kind: 'balances', asOf: at(0) },
      { ...nothing, reason: 'price_old', chain: 'ethereum', assetId: token.id, asOf: at(0) },
      { ...nothing, reason: 'rate_old', asOf: at(0) },
    ]);
    expect(unpricedCount).toBe(1);
    expect(holdings.find(({ walletId }) => walletId === bob.id)).toMatchObject({ value: null, valueReason: 'price_missing' });
  });

  it('goes by the word of today', async () => {
    await snap(CLOSE - 60);
    await world.say(token, { manualPrice: '7' });
    await world.say(coin, { spam: 'spam' });
    const statement = await state('2026-11-21');
    expect(statement).toMatchObject({ excludedCount: 1, estimates: [] });
    expect(statement.usdValue.toFixed()).toBe('70');
    expect(statement.holdings.map(({ price }) => price?.source)).toEqual(['manual']);
  });

  it('has what a wallet held that is followed no more', async () => {
    await snap(CLOSE - 60);
    await world.unfollow(bob);
    await snap(CLOSE + HOUR);
    const before = await state('2026-11-21');
    expect(before.byWallet.get(bob.id)?.usdValue.toFixed()).toBe('20');
    expect([...before.wallets.keys()]).toEqual([alice.id]);
    expect([...(await state('2026-11-22')).byWallet.keys()]).toEqual([alice.id]);
  });

  it('has no value in a currency whose rate was not known', async () => {
    await snap(CLOSE - 60);
    const statement = await state('2026-11-21', { currency: 'CHF' });
    expect(statement).toMatchObject({ value: null, rate: null });
    expect(statement.usdValue.toFixed()).toBe('40');
    expect(statement.holdings.map(({ valueReason }) => valueReason)).toEqual(['fx_missing', 'fx_missing']);
  });

  it('refuses days that are not over, were before everything, or never were', async () => {
    await snap(0);
    await expect(state('2026-11-24')).rejects.toMatchObject({ code: 'invalid_request', issues: [{ pointer: '/query/date' }] });
    for (const date of ['2026-11-20', '1969-12-31', '0000-01-01']) {
      await expect(state(date)).rejects.toMatchObject({ code: 'snapshot_not_found' });
    }
    await expect(state('2011-12-30', { timeZone: 'Pacific/Apia' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(state('2026-11-21', { timeZone: 'Mars/Olympus' })).rejects.toMatchObject({ issues: [{ pointer: '/query/tz' }] });
    await expect(state('2026-11-23')).resolves.toMatchObject({ date: '2026-11-23' });
  });
});
