import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import type { HistoryPoint } from '../../../src/services/history/history-points.ts';
import { at, UNKNOWN_ID } from '../../support/store-fixtures.ts';
import { ownerOf } from '../../support/stub-services.ts';
import { createTestApi } from '../../support/test-api.ts';
import { type ChartWorld, createChartWorld } from './chart-world.ts';

const HOUR = 3600;

/** The first hours of a portfolio: two wallets, three assets, one outage, one gap. */
let world: ChartWorld;
let [alice, bob]: Wallet[] = [];
let [coin, euro, scam]: Asset[] = [];

function known<T>(one: T | undefined): T {
  if (one === undefined) throw new Error('set up first');
  return one;
}

const hour = (hours: number): Date => at(hours * HOUR);
const show = (points: readonly HistoryPoint[]): readonly (string | null)[] =>
  points.map(({ value, valueReason }) => value?.toFixed() ?? valueReason);
const read = (query: Parameters<ChartWorld['read']>[0] = {}) => world.read({ from: hour(-1), to: hour(8), step: '1h', ...query });

type Amounts = readonly (readonly [Asset, bigint])[];

/** Reads the wallets and writes down what they hold. */
async function round(hours: number, ...read: readonly (readonly [Wallet, Amounts])[]): Promise<void> {
  world.setClock(hour(hours));
  for (const [wallet, amounts] of read) await world.hold(wallet, amounts);
  await world.take(hour(hours));
}

beforeAll(async () => {
  world = await createChartWorld();
  const first = await world.follow();
  alice = first;
  const [coins, euros, scams] = [await world.addAsset(), await world.addAsset(), await world.addAsset({ listed: false })];
  [coin, euro, scam] = [coins, euros, scams];
  const ofAlice: Amounts = [
    [coins, 1000n],
    [scams, 500n],
  ];
  await world.quote(coins, '2');
  await world.quote(scams, '1');
  // Or else it would be held back when nothing but it has a price.
  await world.stores.assets.updateSettings(TENANT, scams.id, { acceptedPrice: '1' });
  await round(0, [first, ofAlice]);
  await round(0.1);
  await world.rate('EUR', '0.5', hour(0.5));
  world.setClock(hour(1));
  await world.quote(coins, '3');
  await round(1, [first, ofAlice]);
  const second = await world.follow();
  bob = second;
  await sql`update wallets set created_at = ${hour(1.5)} where id = ${second.id}`.execute(world.db);
  const ofBob: Amounts = [[euros, 700n]];
  await round(2, [first, ofAlice], [second, ofBob]);
  await world.fail(first, 3 * HOUR);
  await round(3, [second, ofBob]);
  // Nothing for two hours.
  await world.rate('EUR', '0.25', hour(6));
  await round(
    6,
    [
      first,
      [
        [coins, 0n],
        [scams, 500n],
      ],
    ],
    [second, ofBob],
  );
  world.setClock(hour(6.5));
}, 60_000);
afterAll(() => world.close());

describe('a chart', () => {
  it('tells the last snapshot of each interval, what is not known of it, and nothing of the future', async () => {
    const { points, step } = await read();
    expect(step).toBe('1h');
    // From 11:00 on; the moments lie 123 ms after the hours.
    expect(show(points)).toEqual(['no_snapshot', '25', '35', '35', '35', 'no_snapshot', 'no_snapshot', '5']);
    expect(points.map(({ complete }) => complete)).toEqual([false, true, true, false, false, false, false, false]);
    expect(points.map(({ unpricedCount }) => unpricedCount)).toEqual([0, 0, 0, 1, 1, 0, 0, 1]);
    expect(points[1]?.at).toEqual(hour(0.1));
    expect(points[4]?.missing).toMatchObject([{ walletId: alice?.id, reason: 'stale', observedAt: hour(2) }]);
    expect(points.map(({ isUnfinished }) => isUnfinished)).toEqual([...Array(7).fill(false), true]);
  });

  it('carries the last snapshot into a gap, and one of before it began', async () => {
    const { points } = await read({ fill: 'previous', from: hour(1.5), to: hour(5.9) });
    expect(show(points)).toEqual(['35', '35', '35', '35', '35']);
    expect(points.map(({ carriedForward }) => carriedForward)).toEqual([false, false, false, true, true]);
    expect(points[4]).toMatchObject({ at: hour(3), complete: false, missing: [{ walletId: alice?.id }] });
    const late = await read({ fill: 'previous', step: '5m', from: hour(4.5), to: hour(4.7) });
    expect(late.points.map(({ at: moment, carriedForward }) => [moment, carriedForward])).toEqual(Array(3).fill([hour(3), true]));
    expect(show(late.points)).toEqual(['35', '35', '35']);
    const early = await read({ fill: 'previous', from: hour(-5), to: hour(0.9) });
    expect(show(early.points)).toEqual(['no_snapshot', 'no_snapshot', 'no_snapshot', 'no_snapshot', 'no_snapshot', '25']);
  });

  it('is the same from snapshots, from hours and from days', async () => {
    const raw = await read({ step: '5m', from: hour(6), to: hour(6.2) });
    const hourly = await read({ step: '1h', from: hour(6), to: hour(6.2) });
    const daily = await read({ step: '1d', from: hour(6), to: hour(6.2) });
    for (const { points } of [raw, hourly, daily]) expect(show(points)).toContain('5');
  });

  it('goes by the rate of each time, and has no value without one', async () => {
    const { points } = await read({ currency: 'EUR' });
    expect(show(points)).toEqual(['no_snapshot', 'fx_missing', '17.5', '17.5', '17.5', 'no_snapshot', 'no_snapshot', '1.25']);
    expect(points[1]).toMatchObject({ complete: false, value: null });
    expect(points[1]?.usdValue?.toFixed()).toBe('25');
    expect(show((await read({ currency: 'XXX' })).points)).not.toContain('0');
  });

  it('tells each asset and each wallet, which add up', async () => {
    const byAsset = await read({ series: 'asset' });
    expect(byAsset.series.map(({ asset }) => asset?.id)).toEqual([
      scam?.id,
      ...byAsset.series.slice(1).map(({ asset }) => asset?.id),
    ]);
    const [ofScam] = byAsset.series;
    expect(show(ofScam?.points ?? [])).toEqual(['no_snapshot', '5', '5', '5', '5', 'no_snapshot', 'no_snapshot', '5']);
    const ofEuro = byAsset.series.find(({ asset }) => asset?.id === euro?.id);
    expect(show(ofEuro?.points ?? [])).toEqual([
      'no_snapshot',
      '0',
      '0',
      'unpriced',
      'unpriced',
      'no_snapshot',
      'no_snapshot',
      'unpriced',
    ]);
    const byWallet = await read({ series: 'wallet' });
    expect(show(byAsset.points)).toEqual(show(byWallet.points));
    expect(byWallet.series.map(({ walletId }) => walletId)).toEqual([alice?.id, bob?.id]);
    const [ofAlice, ofBob] = byWallet.series;
    expect(show(ofAlice?.points ?? [])).toEqual(['no_snapshot', '25', '35', '35', '35', 'no_snapshot', 'no_snapshot', '5']);
    // Followed since half past one.
    expect(show(ofBob?.points ?? [])).toEqual([
      'no_snapshot',
      'not_followed',
      'not_followed',
      'unpriced',
      'unpriced',
      'no_snapshot',
      'no_snapshot',
      'unpriced',
    ]);
    expect(ofBob?.points[4]?.missing).toEqual([]);
    expect(ofAlice?.points[4]?.missing).toHaveLength(1);
  });

  it('shows only what is asked for', async () => {
    expect(show((await read({ assetIds: [known(coin).id] })).points)).toEqual([
      'no_snapshot',
      '20',
      '30',
      '30',
      '30',
      'no_snapshot',
      'no_snapshot',
      '0',
    ]);
    const [ofBob, ofBase] = [await read({ walletIds: [known(bob).id] }), await read({ chains: ['base'] })];
    expect(ofBob.points[4]).toMatchObject({ valueReason: 'unpriced', missing: [] });
    // The source that failed is of another chain.
    expect(ofBase.points[4]).toMatchObject({ complete: true, missing: [] });
  });

  it.each<[string, Parameters<ChartWorld['read']>[0], string, string | undefined]>([
    ['a time that ends before it begins', { from: hour(3), to: hour(2) }, 'invalid_request', '/query/from'],
    ['a time to come', { from: hour(9), to: hour(10) }, 'invalid_request', '/query/from'],
    ['a time before all', { from: new Date(-1), to: hour(1) }, 'invalid_request', '/query/from'],
    ['too many points', { from: hour(-24 * 30), step: '5m' }, 'invalid_request', '/query/interval'],
    ['no zone', { timeZone: 'Mars/Olympus' }, 'invalid_request', '/query/tz'],
    ['no chain', { chains: ['nowhere'] }, 'unknown_chain', undefined],
    ['no wallet', { walletIds: [UNKNOWN_ID] }, 'wallet_not_found', undefined],
    ['no asset', { assetIds: [UNKNOWN_ID] }, 'asset_not_found', undefined],
  ])('is refused for %s', async (_name, query, code, pointer) => {
    const error: unknown = await read(query).then(
      () => new AppError('conflict', 'none'),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe(code);
    expect(error.issues[0]?.pointer).toBe(pointer);
  });

  it('chooses its step and its time where nothing is said', async () => {
    const spans = async (query: Parameters<ChartWorld['read']>[0]) => {
      const { step, points } = await world.read(query);
      return [step, points.length];
    };
    expect(await spans({})).toEqual(['1d', 31]);
    expect(await spans({ step: '5m' })).toEqual(['5m', 289]);
    expect(await spans({ step: '1w' })).toEqual(['1w', 53]);
    expect(await spans({ from: hour(0) })).toEqual(['5m', 79]);
    expect(await spans({ from: hour(-24 * 7) })).toEqual(['1h', 175]);
    expect(await spans({ from: new Date('2026-01-01T00:00:00Z') })).toEqual(['1d', 325]);
    expect(await spans({ from: new Date('2020-01-01T00:00:00Z') })).toEqual(['1w', 360]);
    expect(await spans({ from: new Date('1970-01-01T00:00:00Z') })).toEqual(['1M', 683]);
  });
});

describe('the word of today', () => {
  it('holds for the whole past, without a write to it', async () => {
    const written = async (): Promise<unknown> =>
      (
        await sql`select (select md5(string_agg(p::text, ' ')) from holding_points p) as points, (select md5(string_agg(b::text, ' ')) from asset_hours b) as hours`.execute(
          world.db,
        )
      ).rows;
    const before = await written();
    const setSpam = (spam: 'spam' | null) => world.stores.assets.updateSettings(TENANT, known(scam).id, { spam });
    await setSpam('spam');
    const { points, excludedCount } = await read({ series: 'asset' });
    expect(show(points)).toEqual(['no_snapshot', '20', '30', '30', '30', 'no_snapshot', 'no_snapshot', 'unpriced']);
    expect(excludedCount).toBe(1);
    await setSpam(null);
    const setTracked = (tracked: boolean) => world.stores.assets.updateSettings(TENANT, known(scam).id, { tracked });
    await setTracked(false);
    expect(show((await read()).points)[1]).toBe('20');
    await setTracked(true);
    expect(show((await read()).points)[1]).toBe('25');
    await world.stores.assets.updateSettings(TENANT, known(euro).id, { manualPrice: '1.5' });
    expect(show((await read()).points)).toEqual([
      'no_snapshot',
      '25',
      '35',
      '45.5',
      '45.5',
      'no_snapshot',
      'no_snapshot',
      '15.5',
    ]);
    await world.stores.assets.upsertMany([{ ...known(euro), decimals: 0 }]);
    expect(show((await read()).points)[3]).toBe('1085');
    expect(show((await read({ walletIds: [known(bob).id] })).points)[3]).toBe('1050');
    expect(await written()).toEqual(before);
  });
});

describe('a wallet that is followed no more', () => {
  it('keeps its past, by its id too', async () => {
    await world.stores.wallets.delete(TENANT, known(alice).id);
    await world.take(hour(7));
    world.setClock(hour(7.5));
    const { points } = await read({ walletIds: [known(alice).id], to: hour(9) });
    expect(show(points)).toEqual(['no_snapshot', '25', '35', '35', '35', 'no_snapshot', 'no_snapshot', '5', '0']);
  });
});

it('is served by the API as it is', async () => {
  const api = createTestApi({ history: world.history }, { authenticate: async () => ownerOf(TENANT) });
  const path = `/portfolio/history?from=${hour(3).toISOString()}&to=${hour(7).toISOString()}&interval=1h&asset_id=eip155:1/erc20:${known(coin).address}`;
  const { body } = await api.call('GET', `${path}&fill=previous`);
  expect(body.points.map(({ value }: { value: string }) => value)).toEqual(['30', '30', '30', '0', '0']);
  const refused = await api.call('GET', `${path}&series=wallet&tz=Nowhere/Land`);
  expect(refused.body.errors[0].pointer).toBe('/query/tz');
});
