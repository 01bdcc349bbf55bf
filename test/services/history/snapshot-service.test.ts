import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { amountOf, at, readingOf, TIMEOUT } from '../../support/store-fixtures.ts';
import { type ChartWorld, createChartWorld, INTERVAL_SECONDS, NEVER } from './chart-world.ts';

let world: ChartWorld;
let wallet: Wallet;

beforeEach(async () => {
  world = await createChartWorld();
  wallet = await world.follow();
});
afterEach(() => world.close());

/** Ether in the wallet, read now. */
async function hold(amountRaw = 100n): Promise<void> {
  const asset = await world.addAsset();
  await world.hold(wallet, [[asset, amountRaw]]);
}

/** As if the last snapshot had been taken so much earlier, or later, by the clock of the database. */
const shiftTaken = (seconds: number) =>
  sql`update snapshots set taken_at = now() + make_interval(secs => ${seconds}) where at = (select max(at) from snapshots)`.execute(
    world.db,
  );

const listMoments = async (): Promise<readonly Date[]> =>
  (await sql<{ at: Date }>`select at from snapshots order by at`.execute(world.db)).rows.map((row) => row.at);

describe('a snapshot', () => {
  it('is none before anything was read, and names what was missing', async () => {
    expect(await world.snapshots.take(TENANT)).toBeUndefined();
    await world.fail(wallet, 0);
    expect(await world.snapshots.take(TENANT)).toBeUndefined();
    await hold();
    expect(await world.snapshots.take(TENANT)).toEqual({ at: at(0), grade: 'full', missing: [] });
    world.setClock(at(60));
    await world.fail(wallet, 60);
    expect(await world.snapshots.take(TENANT)).toMatchObject({
      grade: 'partial',
      missing: [
        {
          walletId: wallet.id,
          chain: 'ethereum',
          kind: 'balances',
          reason: 'stale',
          observedAt: at(0),
          code: 'upstream_timeout',
        },
      ],
    });
    expect(world.taken).toEqual(['full', 'partial']);
  });

  it('names a source of which one token could not be read', async () => {
    const [read, unread] = [await world.addAsset(), await world.addAsset()];
    await world.quote(read, '2');
    await world.quote(unread, '3');
    const readings = [amountOf(read, 100n), { status: 'failed', asset: unread, error: TIMEOUT } as const];
    await world.stores.balances.saveReadings(TENANT, [readingOf(wallet, 0, readings)]);
    await world.take(at(1));
    const [point] = (await world.read({ step: '5m' })).points.filter(({ value }) => value !== null);
    expect(point).toMatchObject({
      complete: false,
      missing: [{ walletId: wallet.id, chain: 'ethereum', reason: 'stale', observedAt: at(0), code: 'upstream_timeout' }],
    });
  });

  it('comes right after the last one while a clock that was set back catches up', async () => {
    await hold();
    await world.take(at(7200));
    await world.take(at(0));
    await world.take(at(10));
    await world.take(at(7201));
    expect(await listMoments()).toEqual([at(7200), new Date(at(7200).getTime() + 1), new Date(at(7200).getTime() + 2), at(7201)]);
  });

  it('goes by the clock of the database where that of the process is ahead', async () => {
    await hold();
    world.setAhead(10 * 86_400);
    await world.take(at(10 * 86_400));
    world.setAhead(0);
    await world.take(at(60));
    expect(await listMoments()).toEqual([at(0), at(60)]);
  });

  it('uses a price of a source whose clock is ahead', async () => {
    const asset = await world.addAsset();
    await world.hold(wallet, [[asset, 300n]]);
    await world.quote(asset, '2', at(120));
    await world.take(at(0));
    expect((await world.read({ step: '5m' })).points.at(-1)?.value?.toFixed()).toBe('6');
    expect((await world.read({ step: '1h' })).points.at(-1)?.value?.toFixed()).toBe('6');
  });
});

describe('a price of a source that quotes later than another one', () => {
  it.each([
    ['an older moment', at(300)],
    ['the same moment', at(600)],
  ])('counts from the snapshot on that finds it, for %s as well', async (_name, quotedAt) => {
    const asset = await world.addAsset();
    await world.hold(wallet, [[asset, 300n]]);
    await world.quote(asset, '2', at(600));
    await world.take(at(610));
    await world.quote(asset, '5', quotedAt);
    await world.take(at(1000));
    const tell = async (query: Parameters<typeof world.read>[0]): Promise<readonly (string | undefined)[]> =>
      (await world.read(query)).points.filter(({ value }) => value !== null).map(({ value }) => value?.toFixed());
    expect(await tell({ step: '5m' })).toEqual(['6', '15']);
    expect(await tell({ step: '1h' })).toEqual(['15']);
    expect(await tell({ step: '1h', walletIds: [wallet.id] })).toEqual(['15']);
  });
});

describe('a price that jumped', () => {
  it('makes the points incomplete that go by the one before it, until it is good', async () => {
    const asset = await world.addAsset();
    await world.hold(wallet, [[asset, 300n]]);
    await world.quote(asset, '2', at(0));
    await world.suspect(asset, '50', at(10));
    await world.take(at(20));
    await world.stores.assets.updateSettings(TENANT, asset.id, { acceptedPrice: '50' });
    await world.take(at(400));
    await world.quote(asset, '50', at(610));
    await world.take(at(700));
    const points = (await world.read({ step: '5m' })).points.filter((point) => point.value !== null);
    const missing = [{ walletId: null, chain: null, kind: 'prices', reason: 'stale', observedAt: at(0), code: null }];
    expect(points.map((point) => [point.value?.toFixed(), point.complete, point.missing])).toEqual([
      ['6', false, missing],
      ['6', false, missing],
      ['150', true, []],
    ]);
  });
});

describe('a price that nobody renews', () => {
  it('makes the points that go by it incomplete, and no other ones', async () => {
    const asset = await world.addAsset();
    await world.hold(wallet, [[asset, 300n]]);
    await world.quote(asset, '2', at(0));
    await world.take(at(600));
    await world.hold(wallet, [[asset, 300n]], at(5000));
    await world.take(at(5000));
    const points = (await world.read({ step: '5m' })).points.filter((point) => point.value !== null);
    expect(points.map(({ value, complete }) => [value?.toFixed(), complete])).toEqual([
      ['6', true],
      ['6', false],
    ]);
    expect(points.at(-1)?.missing).toEqual([
      { walletId: null, chain: null, kind: 'prices', reason: 'stale', observedAt: at(0), code: null },
    ]);
    const [series] = (await world.read({ step: '5m', series: 'wallet' })).series;
    expect(series?.points.at(-1)?.complete).toBe(false);
  });

  it('is nobody’s loss once the owner names a price', async () => {
    const asset = await world.addAsset();
    await world.hold(wallet, [[asset, 300n]], at(5000));
    await world.quote(asset, '2', at(0));
    await world.stores.assets.updateSettings(TENANT, asset.id, { manualPrice: '3' });
    await world.take(at(5000));
    expect((await world.read({ step: '5m' })).points.at(-1)).toMatchObject({ complete: true, missing: [] });
  });
});

describe('snapshots that are due', () => {
  const takeDue = (): Promise<number> => world.snapshots.takeDue(NEVER);

  beforeEach(async () => {
    await hold();
  });

  it('are taken once in each interval, however often that is tried', async () => {
    expect(await takeDue()).toBe(1);
    expect(await takeDue()).toBe(0);
    await shiftTaken(-INTERVAL_SECONDS);
    world.setClock(at(INTERVAL_SECONDS));
    expect(await takeDue()).toBe(1);
    expect(await takeDue()).toBe(0);
    expect(await listMoments()).toEqual([at(0), at(INTERVAL_SECONDS)]);
  });

  it('are taken once by any number of workers at once', async () => {
    const taken = await Promise.all([1, 2, 3, 4, 5].map(() => world.createSnapshots().takeDue(NEVER)));
    expect(taken.reduce((sum, one) => sum + one)).toBe(1);
    expect(await world.count('snapshots')).toBe(1);
  });

  it('go on after the clock was set back, once and not again and again', async () => {
    await takeDue();
    await shiftTaken(5 * INTERVAL_SECONDS);
    world.setClock(at(-5 * INTERVAL_SECONDS));
    expect(await takeDue()).toBe(1);
    expect(await takeDue()).toBe(0);
    expect(await listMoments()).toEqual([at(0), new Date(at(0).getTime() + 1)]);
  });

  it('wait for the end of a refresh, and are taken when all of it was refreshed', async () => {
    await sql`
      insert into refreshes (tenant_id, status, sources_key, deadline_at) values (${TENANT}, 'running', 'all', now() + interval '1 minute')`.execute(
      world.db,
    );
    expect(await takeDue()).toBe(0);
    await sql`update refreshes set status = 'finished', finished_at = now()`.execute(world.db);
    expect(await takeDue()).toBe(1);
    await sql`update refreshes set finished_at = now() + interval '1 second'`.execute(world.db);
    expect(await takeDue()).toBe(0);
    await sql`update snapshots set taken_at = now() - interval '61 seconds'`.execute(world.db);
    world.setClock(at(61));
    expect(await takeDue()).toBe(1);
  });

  it('wait for wallets that are being read, but not for ever', async () => {
    await sql`update wallets set created_at = now()`.execute(world.db);
    await sql`update wallet_schedules set claim_id = uuidv7(), claimed_until = now() + interval '1 minute'`.execute(world.db);
    expect(await takeDue()).toBe(0);
    await sql`update wallets set created_at = now() - interval '121 seconds'`.execute(world.db);
    expect(await takeDue()).toBe(1);
  });

  it('end a wallet that is followed no more at zero, then have nothing to tell', async () => {
    await takeDue();
    await world.stores.wallets.delete(TENANT, wallet.id);
    await shiftTaken(-INTERVAL_SECONDS);
    world.setClock(at(INTERVAL_SECONDS));
    expect(await takeDue()).toBe(1);
    const { rows } = await sql`select amount_raw from holding_points order by at`.execute(world.db);
    expect(rows).toEqual([{ amount_raw: '100' }, { amount_raw: '0' }]);
    await shiftTaken(-INTERVAL_SECONDS);
    expect(await takeDue()).toBe(0);
  });

  it('stop when the worker does', async () => {
    expect(await world.snapshots.takeDue(AbortSignal.abort())).toBe(0);
  });
});
