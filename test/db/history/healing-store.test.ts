import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createHealingStore, type HealingStore, type HistoryGap } from '../../../src/db/history/healing-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import type { MissingSource } from '../../../src/domain/history/snapshot.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, amountOf, at, failureOf, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const MOMENTS = 7;
/** Two snapshots an hour. */
const STEP_SECONDS = 1_800;
const moment = (place: number): Date => at(place * STEP_SECONDS);

const ASKED = { triedBefore: moment(200), limit: 10 };

/** What each of two wallets held of each of two assets at each moment. */
type Life = readonly (readonly [readonly [bigint, bigint], readonly [bigint, bigint]])[];
type Gap = { readonly wallet: number; readonly place: number };

let database: TestDatabase;
let healing: HealingStore;
beforeAll(async () => {
  database = await createTestDatabase();
  healing = createHealingStore(database.tenants);
});
afterAll(() => database.close());

type World = { readonly tenantId: string; readonly wallets: readonly Wallet[]; readonly assets: readonly Asset[] };

/** A tenant of its own whose wallets live that life, with snapshots of it that lack what could not be read. */
async function live(assets: readonly Asset[], life: Life, gaps: readonly Gap[]): Promise<World> {
  const { rows } = await sql<{ id: string }>`
    insert into tenants (id, name) select id, id::text from gen_random_uuid() as id returning id::text`.execute(database.db);
  const tenantId = rows[0]?.id ?? '';
  const wallets = [await addWallet(database.db, tenantId), await addWallet(database.db, tenantId)];
  await sql`update wallets set created_at = ${moment(-1)} where tenant_id = ${tenantId}`.execute(database.db);
  const isGap = (wallet: number, place: number): boolean => gaps.some((gap) => gap.wallet === wallet && gap.place === place);
  for (const [place, holdings] of life.entries()) {
    const missing: MissingSource[] = [];
    for (const [index, wallet] of wallets.entries()) {
      const seconds = place * STEP_SECONDS - 10;
      const readings = assets.map((asset, which) => amountOf(asset, holdings[index]?.[which] ?? 0n));
      const block = { number: BigInt(place), hash: null };
      const isMissing = isGap(index, place);
      await createBalanceStore(database.tenants).saveReadings(tenantId, [
        isMissing ? failureOf(wallet, seconds) : readingOf(wallet, seconds, readings, { block }),
      ]);
      const source = { walletId: wallet.id, chain: 'ethereum', kind: 'balances' } as const;
      if (isMissing)
        missing.push({ ...source, reason: 'stale', observedAt: at(seconds - STEP_SECONDS), code: 'upstream_timeout' });
    }
    const grade = missing.length === 0 ? 'full' : 'partial';
    await createSnapshotStore(database.tenants).take(tenantId, { at: moment(place), grade, missing, excludedAssetIds: [] });
  }
  return { tenantId, wallets, assets };
}

/** All that charts are made of, by the place of a wallet. */
async function tell({ tenantId, wallets }: World): Promise<unknown> {
  const buckets = await Promise.all(
    ['hour', 'day'].map((bucket) =>
      sql`
        select s.bucket, s.at, s.grade, s.missing, a.asset_id, a.amount_raw
        from ${sql.table(`snapshot_${bucket}s`)} s left join ${sql.table(`asset_${bucket}s`)} a using (tenant_id, bucket)
        where tenant_id = ${tenantId} order by s.bucket, a.asset_id`.execute(database.db),
    ),
  );
  const points = await Promise.all(
    wallets.map(({ id }) =>
      sql`
        select s.at, h.asset_id, coalesce((
          select p.amount_raw from holding_points p
          where p.tenant_id = h.tenant_id and p.wallet_id = h.wallet_id and p.asset_id = h.asset_id and p.at <= s.at order by p.at desc limit 1
        ), 0) as amount_raw
        from snapshots s join holding_series h using (tenant_id)
        where tenant_id = ${tenantId} and h.wallet_id = ${id} order by s.at, h.asset_id`.execute(database.db),
    ),
  );
  const last = await sql`
    select s.asset_id, s.amount_raw = (
      select p.amount_raw from holding_points p
      where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id order by p.at desc limit 1
    ) as is_last
    from holding_series s where tenant_id = ${tenantId} and amount_raw > 0 order by s.wallet_id, s.asset_id`.execute(database.db);
  expect(last.rows.every((row) => row instanceof Object && 'is_last' in row && row.is_last === true)).toBe(true);
  const nonZero = points.map(({ rows }) =>
    rows.filter((row) => !(row instanceof Object && 'amount_raw' in row && row.amount_raw === '0')),
  );
  return { buckets: buckets.map(({ rows }) => rows), points: nonZero };
}

async function fill({ tenantId, wallets, assets }: World, life: Life, { wallet, place }: Gap): Promise<boolean> {
  const amounts = assets.map(({ id }, which) => ({ assetId: id, amountRaw: life[place]?.[wallet]?.[which] ?? 0n }));
  return healing.fill(tenantId, {
    chain: 'ethereum',
    at: moment(place),
    block: { number: BigInt(place), hash: null },
    wallets: [{ walletId: wallets[wallet]?.id ?? '', amounts }],
    healedAt: moment(100),
  });
}

const amount = fc.bigInt({ min: 0n, max: 2n });
const holding = fc.tuple(amount, amount);
const lives = fc.array(fc.tuple(holding, holding), { minLength: MOMENTS, maxLength: MOMENTS });
// The first moment is always known: before it there is nothing to carry forward.
const gapSets = fc.uniqueArray(fc.record({ wallet: fc.nat(1), place: fc.integer({ min: 1, max: MOMENTS - 1 }) }), {
  selector: ({ wallet, place }) => `${wallet}/${place}`,
  minLength: 1,
  maxLength: 8,
});

describe('gaps that are filled, in whatever order', () => {
  it('leave the past as if nothing had ever failed', async () => {
    const assets = [await addAsset(database.db), await addAsset(database.db)];
    await fc.assert(
      fc.asyncProperty(lives, gapSets, async (life, gaps) => {
        const whole = await live(assets, life, []);
        const broken = await live(assets, life, gaps);
        for (const gap of gaps) expect(await fill(broken, life, gap)).toBe(true);
        const healed = await tell(broken);
        const told = await tell(whole);
        expect(healed).toEqual(told);
        // Once more changes nothing.
        for (const gap of gaps) expect(await fill(broken, life, gap)).toBe(false);
        expect(await tell(broken)).toEqual(told);
      }),
      { numRuns: 6 },
    );
  }, 60_000);
});

describe('what can be filled', () => {
  const life: Life = Array.from({ length: MOMENTS }, () => [
    [5n, 0n],
    [0n, 7n],
  ]);

  it('is what was missing, has been read since, and was not before the wallet', async () => {
    const assets = [await addAsset(database.db), await addAsset(database.db)];
    const world = await live(assets, life, [
      { wallet: 0, place: 2 },
      { wallet: 0, place: 4 },
      { wallet: 1, place: 4 },
      { wallet: 1, place: 6 },
    ]);
    const [first, second] = world.wallets.map(({ id }) => id);
    const list = async (): Promise<readonly HistoryGap[]> =>
      (await healing.listGaps({ ...ASKED, chains: ['ethereum'] })).filter(({ tenantId }) => tenantId === world.tenantId);
    // The second wallet has not been read since.
    expect(await list()).toMatchObject([
      { at: moment(4), walletIds: [first] },
      { at: moment(2), walletIds: [first] },
    ]);
    await sql`update wallets set created_at = ${moment(3)} where id = ${first}`.execute(database.db);
    expect(await list()).toMatchObject([{ at: moment(4), walletIds: [first] }]);
    expect(await healing.listGaps({ ...ASKED, chains: ['solana'] })).toEqual([]);
    expect(second).toBeDefined();
  });

  it('is tried in turn: what could not be filled comes after what was never tried, and not at once', async () => {
    const assets = [await addAsset(database.db), await addAsset(database.db)];
    const world = await live(
      assets,
      life,
      [2, 3, 4].map((place) => ({ wallet: 0, place })),
    );
    const list = async (triedBefore: Date): Promise<readonly HistoryGap[]> =>
      (await healing.listGaps({ chains: ['ethereum'], triedBefore, limit: 100 })).filter(
        ({ tenantId }) => tenantId === world.tenantId,
      );
    const [newest] = await list(moment(200));
    expect(newest).toMatchObject({ at: moment(4) });
    if (newest !== undefined) await healing.noteAttempt(newest, moment(100));
    expect((await list(moment(99))).map(({ at: place }) => place)).toEqual([moment(3), moment(2)]);
    expect((await list(moment(100))).map(({ at: place }) => place)).toEqual([moment(3), moment(2), moment(4)]);
  });

  it('is told with its reason where it cannot be, at that gap and all before it', async () => {
    const assets = [await addAsset(database.db), await addAsset(database.db)];
    const world = await live(
      assets,
      life,
      [2, 4, 5].map((place) => ({ wallet: 0, place })),
    );
    const walletIds = world.wallets.map(({ id }) => id);
    const gap = { tenantId: world.tenantId, chain: 'ethereum', at: moment(4), walletIds };
    const codes = async (): Promise<unknown> => {
      const { rows } = await sql<{ code: string }>`
        select m->>'code' as code from snapshots, jsonb_array_elements(missing) m where tenant_id = ${world.tenantId} order by at`.execute(
        database.db,
      );
      return rows.map(({ code }) => code);
    };
    await healing.giveUp(gap, 'upstream_no_history');
    expect(await codes()).toEqual(['upstream_no_history', 'upstream_no_history', 'upstream_timeout']);
    const version = sql`select version from data_versions where tenant_id = ${world.tenantId}`;
    const before = await version.execute(database.db);
    await healing.giveUp(gap, 'upstream_no_history');
    expect((await version.execute(database.db)).rows).toEqual(before.rows);
  });
});
