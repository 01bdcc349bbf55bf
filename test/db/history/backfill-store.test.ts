import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import {
  type BackfillRun,
  type BackfillStore,
  createBackfillStore,
  type DaysDone,
} from '../../../src/db/history/backfill-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { addDays, type Day, endOfDay } from '../../../src/domain/history/backfill.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, amountOf, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const FIRST: Day = '2026-09-20';
const DAYS = 6;
const RUNNER = { runnerId: '00000000-0000-4000-8000-000000000001', leaseSeconds: 60 };
const OTHER_RUNNER = { ...RUNNER, runnerId: '00000000-0000-4000-8000-000000000002' };

let database: TestDatabase;
let backfills: BackfillStore;
let assets: readonly Asset[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  backfills = createBackfillStore(database.tenants);
  assets = [await addAsset(database.db), await addAsset(database.db)];
});
afterAll(() => database.close());

/** On each day: what two wallets held of two assets, and whether the service was up in the middle of it. */
type Life = readonly { readonly amounts: readonly (readonly bigint[])[]; readonly isUp: boolean }[];
type World = { readonly tenantId: string; readonly wallets: readonly Wallet[] };

const dayAt = (place: number): Date => new Date(endOfDay(addDays(FIRST, place)).getTime() - 40_000_000);

/** A tenant of its own whose second wallet is followed from some day on. */
async function live(life: Life, followedFrom: number): Promise<World> {
  const { rows } = await sql<{ id: string }>`
    insert into tenants (id, name) select id, id::text from gen_random_uuid() as id returning id::text`.execute(database.db);
  const tenantId = rows[0]?.id ?? '';
  const wallets = [await addWallet(database.db, tenantId), await addWallet(database.db, tenantId)];
  for (const [index, wallet] of wallets.entries()) {
    const createdAt = new Date(dayAt(index === 0 ? 0 : followedFrom).getTime() - 1000);
    await sql`update wallet_chains set created_at = ${createdAt} where wallet_id = ${wallet.id}`.execute(database.db);
  }
  for (const [place, { amounts, isUp }] of life.entries()) {
    if (!isUp) continue;
    for (const [index, wallet] of wallets.entries()) {
      if (index === 1 && place < followedFrom) continue;
      const readings = assets.map((asset, which) => amountOf(asset, amounts[index]?.[which] ?? 0n));
      const observedAt = new Date(dayAt(place).getTime() - 500);
      const reading = readingOf(wallet, 0, readings, { observedAt, block: { number: BigInt(place), hash: null } });
      await createBalanceStore(database.tenants).saveReadings(tenantId, [reading]);
    }
    await createSnapshotStore(database.tenants).take(tenantId, {
      at: dayAt(place),
      grade: 'full',
      missing: [],
      excludedAssetIds: [],
    });
  }
  return { tenantId, wallets };
}

/** What was held of each asset on each day on which the service was up, or the past was read. */
async function tell({ tenantId, wallets }: World): Promise<unknown> {
  const days = await sql`
    select bucket, asset_id, amount_raw from asset_days where tenant_id = ${tenantId} and amount_raw > 0 order by bucket, asset_id`.execute(
    database.db,
  );
  const points = await Promise.all(
    wallets.map(({ id }) =>
      sql`
        select s.bucket, h.asset_id, p.amount_raw
        from snapshot_days s join holding_series h using (tenant_id)
        cross join lateral (
          select p.amount_raw from holding_points p
          where p.tenant_id = h.tenant_id and p.wallet_id = h.wallet_id and p.asset_id = h.asset_id and p.at <= s.at order by p.at desc limit 1
        ) p
        where tenant_id = ${tenantId} and h.wallet_id = ${id} and p.amount_raw > 0 order by s.bucket, h.asset_id`.execute(
        database.db,
      ),
    ),
  );
  return { days: days.rows, points: points.map(({ rows }) => rows) };
}

async function begin({ tenantId, wallets }: World, followedFrom: number): Promise<void> {
  const walletId = wallets[1]?.id ?? '';
  const knownFrom = await backfills.findKnownFrom(tenantId, { walletId, chain: 'ethereum' });
  expect(knownFrom).toEqual(dayAt(followedFrom));
  await backfills.startOrJoin(tenantId, {
    walletId,
    from: FIRST,
    through: addDays(FIRST, followedFrom - 1),
    daysTotal: followedFrom,
    chains: [{ chain: 'ethereum', knownFrom, status: 'pending', error: null }],
  });
}

async function takeUp(tenantId: string): Promise<BackfillRun | undefined> {
  return (await backfills.takeUp(RUNNER, 100)).find((run) => run.tenantId === tenantId);
}

/** The next days of a run, as they were. */
async function readDays(run: BackfillRun, life: Life, count: number): Promise<DaysDone> {
  const last = run.nextDay ?? FIRST;
  const days = Array.from({ length: count }, (_, index) => addDays(last, -index)).filter((day) => day >= FIRST);
  const moments = await backfills.listMoments(run.tenantId, { first: FIRST, last: addDays(last, 1) });
  const at = (day: Day): Date => moments.get(day) ?? endOfDay(day);
  const knownFrom = run.chains[0]?.knownFrom ?? null;
  return {
    days: days.map((day) => {
      const place = Math.round((Date.parse(day) - Date.parse(FIRST)) / 86_400_000);
      const amounts = assets.map(({ id }, which) => ({ assetId: id, amountRaw: life[place]?.amounts[1]?.[which] ?? 0n }));
      const isTop = day === run.through;
      const until = isTop ? knownFrom : at(addDays(day, 1));
      const block = { number: BigInt(place), hash: null };
      return {
        day,
        at: at(day),
        chains: [{ chain: 'ethereum', block, until, amounts }],
        missing: [],
        next: isTop ? null : until,
      };
    }),
    ended: [],
    unpricedCount: 0,
    priceErrorCode: null,
    writtenAt: new Date(),
  };
}

async function workOff(world: World, life: Life, counts: readonly number[]): Promise<void> {
  let run = await takeUp(world.tenantId);
  for (let turn = 0; run !== undefined && run.nextDay !== null; turn += 1) {
    run = await backfills.saveDays(run, RUNNER, await readDays(run, life, counts[turn % counts.length] ?? 1));
  }
  if (run !== undefined) await backfills.finish(run, RUNNER);
}

const amounts = fc.array(fc.array(fc.bigInt({ min: 0n, max: 2n }), { minLength: 2, maxLength: 2 }), {
  minLength: 2,
  maxLength: 2,
});
const lives = fc.array(fc.record({ amounts, isUp: fc.boolean() }), { minLength: DAYS, maxLength: DAYS });

/** What the first wallet held on a day without a snapshot nobody knows: it is what it was. The days on which the second one is followed are told. */
function withCarried(life: Life, followedFrom: number): Life {
  let last: readonly bigint[] = [0n, 0n];
  return life.map(({ amounts: [first = [], second = []], isUp }, place) => {
    const isTold = isUp || place >= followedFrom;
    if (isTold) last = first;
    return { amounts: [last, second], isUp: isTold };
  });
}

describe('a past that is read later', () => {
  it('is the same, at the ends of days, as if the wallet had always been followed', async () => {
    await fc.assert(
      fc.asyncProperty(
        lives,
        fc.integer({ min: 1, max: DAYS - 1 }),
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
        async (drawn, followedFrom, counts) => {
          const life = withCarried(drawn, followedFrom);
          const always = life.map((day) => ({ ...day, isUp: true }));
          const world = await live(life, followedFrom);
          const whole = await live(always, 0);
          await begin(world, followedFrom);
          await workOff(world, life, counts);
          const told = await tell(world);
          const { days, points } = (await tell(whole)) as { days: unknown; points: unknown };
          const idOf = (text: string): string =>
            world.wallets.reduce((all, { id }, index) => all.replaceAll(whole.wallets[index]?.id ?? '-', id), text);
          expect(JSON.stringify(told)).toBe(idOf(JSON.stringify({ days, points })));
          const walletId = world.wallets[1]?.id ?? '';
          expect(await backfills.get(world.tenantId, walletId)).toMatchObject({ status: 'finished', daysDone: followedFrom });
        },
      ),
      { numRuns: 8 },
    );
  }, 60_000);
});

describe('a backfill', () => {
  const plan = (walletId: string, from: Day) => ({
    walletId,
    from,
    through: '2026-11-01',
    daysTotal: 10,
    chains: [{ chain: 'ethereum', status: 'pending', error: null, knownFrom: null } as const],
  });

  it('runs once for a wallet: the same is joined, another one refused, and after the end it begins anew', async () => {
    const { id } = await addWallet(database.db, TENANT);
    const outcomes = await Promise.all([1, 2, 3].map(() => backfills.startOrJoin(TENANT, plan(id, '2026-10-23'))));
    expect(outcomes.toSorted()).toEqual(['joined', 'joined', 'started']);
    expect(await backfills.startOrJoin(TENANT, plan(id, '2026-10-22'))).toBe('refused');
    await backfills.cancel(TENANT, id);
    expect(await backfills.get(TENANT, id)).toMatchObject({ status: 'cancelled', from: '2026-10-23' });
    expect(await backfills.startOrJoin(TENANT, plan(id, '2026-10-22'))).toBe('started');
    await backfills.cancel(TENANT, id);
  });

  it('is held by one runner, until it is handed back or its lease is over', async () => {
    const { id } = await addWallet(database.db, TENANT);
    await backfills.startOrJoin(TENANT, plan(id, '2026-10-23'));
    const [run] = await backfills.takeUp(RUNNER, 10);
    expect(run).toMatchObject({ walletId: id, nextDay: '2026-11-01', attempts: 0 });
    if (run === undefined) return;
    expect(await backfills.takeUp(OTHER_RUNNER, 10)).toEqual([]);
    await backfills.handBack(run, OTHER_RUNNER);
    expect(await backfills.takeUp(OTHER_RUNNER, 10)).toEqual([]);
    await backfills.handBack(run, RUNNER, { seconds: 3600 });
    expect(await backfills.takeUp(OTHER_RUNNER, 10)).toEqual([]);
    await sql`update backfills set not_before = now() - interval '1 second' where wallet_id = ${id}`.execute(database.db);
    expect(await backfills.takeUp(OTHER_RUNNER, 10)).toMatchObject([{ walletId: id, attempts: 1 }]);
    await sql`update backfills set lease_until = now() - interval '1 second' where wallet_id = ${id}`.execute(database.db);
    expect(await backfills.takeUp(RUNNER, 10)).toMatchObject([{ walletId: id }]);
    // Who has lost it writes nothing any more.
    const done = { days: [], ended: [], unpricedCount: 5, priceErrorCode: null, writtenAt: new Date() };
    expect(await backfills.saveDays(run, OTHER_RUNNER, done)).toBeUndefined();
    await backfills.cancel(TENANT, id);
    expect(await backfills.saveDays(run, RUNNER, done)).toBeUndefined();
    expect(await backfills.get(TENANT, id)).toMatchObject({ status: 'cancelled', unpricedCount: 0 });
  });

  it('goes with its wallet', async () => {
    const { id } = await addWallet(database.db, TENANT);
    await backfills.startOrJoin(TENANT, plan(id, '2026-10-23'));
    await sql`delete from wallets where id = ${id}`.execute(database.db);
    expect(await backfills.get(TENANT, id)).toBeUndefined();
  });
});
