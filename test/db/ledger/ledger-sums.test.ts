import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLedgerStore } from '../../../src/db/ledger/ledger-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, at } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let wallets: readonly Wallet[];
let assets: readonly Asset[];

beforeAll(async () => {
  database = await createTestDatabase();
  wallets = [await addWallet(database.db, TENANT), await addWallet(database.db, TENANT)];
  assets = [await addAsset(database.db), await addAsset(database.db)];
  await sql`update wallets set created_at = ${at(-1000)}`.execute(database.db);
  await sql`create table holding_points_all partition of holding_points default`.execute(database.db);
});
afterAll(() => database.close());

const END = 60;
const series = fc.record({ wallet: fc.nat(1), asset: fc.nat(1), position: fc.constantFrom('wallet', 'stake') });
/** At each second one block, so that a snapshot tells all blocks until a little before it. */
const world = fc.record({
  snapshots: fc.uniqueArray(fc.nat(END), { maxLength: 12 }),
  points: fc.uniqueArray(fc.record({ series, snapshot: fc.nat(11), amount: fc.bigInt(0n, 2n ** 200n), lag: fc.nat(5) }), {
    maxLength: 30,
    selector: ({ series: { wallet, asset, position }, snapshot }) => `${wallet}${asset}${position}${snapshot}`,
  }),
  entries: fc.array(
    fc.record({
      wallet: fc.nat(1),
      asset: fc.nat(1),
      second: fc.nat(END),
      amount: fc.bigInt(-(2n ** 200n), 2n ** 200n).filter((amount) => amount !== 0n),
      kind: fc.constantFrom('transfer', 'fee', 'deposit'),
      hasBlock: fc.boolean(),
    }),
    { maxLength: 20 },
  ),
  ends: fc.array(fc.tuple(fc.integer({ min: -5, max: END + 5 }), fc.integer({ min: -5, max: END + 5 })), {
    minLength: 1,
    maxLength: 5,
  }),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;
type Point = World['points'][number] & { readonly at: number };

/** The points in the order of time, at snapshots that are there. */
function pointsOf({ snapshots, points }: World): readonly Point[] {
  return points
    .flatMap((point) => {
      const second = snapshots[point.snapshot];
      return second === undefined ? [] : [{ ...point, at: second }];
    })
    .toSorted((a, b) => a.at - b.at);
}

async function store(all: World): Promise<void> {
  const { db } = database;
  for (const table of ['snapshots', 'holding_series', 'holding_points', 'ledger_entries'])
    await sql`delete from ${sql.table(table)}`.execute(db);
  for (const second of all.snapshots) {
    await db
      .insertInto('snapshots')
      .values({ tenant_id: TENANT, at: at(second), grade: 'full', missing: '[]' })
      .execute();
  }
  for (const {
    series: { wallet, asset, position },
    at: second,
    amount,
    lag,
  } of pointsOf(all)) {
    const key = {
      tenant_id: TENANT,
      wallet_id: wallets[wallet]?.id ?? '',
      asset_id: assets[asset]?.id ?? '',
      position: position as 'wallet',
    };
    const amounts = { amount_raw: amount.toString() };
    await db
      .insertInto('holding_series')
      .values({ ...key, ...amounts, chain: 'ethereum' })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await db
      .insertInto('holding_points')
      .values({ ...key, ...amounts, at: at(second), block_number: String(Math.max(0, 100 + second - lag)), block_hash: null })
      .execute();
  }
  await createLedgerStore(database.tenants).addMany(
    TENANT,
    all.entries.map(({ wallet, asset, second, amount, kind, hasBlock }, index) => ({
      walletId: wallets[wallet]?.id ?? '',
      assetId: assets[asset]?.id ?? '',
      chain: 'ethereum',
      occurredAt: at(second),
      kind: kind as 'transfer',
      amountRaw: amount,
      counterparty: null,
      txHash: null,
      blockNumber: hasBlock ? BigInt(100 + second) : null,
      origin: 'chain' as const,
      price: null,
      note: null,
      reference: `${index}`,
    })),
  );
}

/** What a wallet held of an asset at a second, over both positions. */
function amountAt(all: World, wallet: number, asset: number, second: number): bigint {
  return ['wallet', 'stake'].reduce((sum, position) => {
    const seen = pointsOf(all).filter(
      ({ series: one, at: moment }) =>
        one.wallet === wallet && one.asset === asset && one.position === position && moment <= second,
    );
    return sum + (seen.at(-1)?.amount ?? 0n);
  }, 0n);
}

it('are the difference of the amounts, to the last digit, however long the intervals are', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (all) => {
      await store(all);
      const ledger = createLedgerStore(database.tenants);
      const ends = all.ends.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
      const intervals = ends.map(([from, to]) => ({ from: at(from), to: at(to) }));
      const sums = await ledger.sumBetween(TENANT, { walletIds: null, chains: null, assetIds: null, intervals });
      for (const [place, [from, to]] of ends.entries()) {
        for (const wallet of [0, 1]) {
          for (const asset of [0, 1]) {
            const mine = sums.filter(
              (sum) => sum.place === place && sum.walletId === wallets[wallet]?.id && sum.assetId === assets[asset]?.id,
            );
            const difference = amountAt(all, wallet, asset, to) - amountAt(all, wallet, asset, from);
            expect(mine.reduce((sum, { amountRaw }) => sum + amountRaw, 0n)).toBe(difference);
            expect(mine.every(({ amountRaw }) => amountRaw !== 0n)).toBe(true);
            expect(new Set(mine.map(({ type }) => type)).size).toBe(mine.length);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

it('are those of the parts of an interval, by type', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (all) => {
      await store(all);
      const ledger = createLedgerStore(database.tenants);
      const cuts = [...new Set([-1, ...all.ends.flat(), END + 1])]
        .filter((cut) => cut >= -1 && cut <= END + 1)
        .toSorted((a, b) => a - b);
      const parts = cuts.slice(1).map((to, index) => ({ from: at(cuts[index] ?? -1), to: at(to) }));
      const sumsOf = async (intervals: typeof parts): Promise<ReadonlyMap<string, bigint>> => {
        const sums = new Map<string, bigint>();
        for (const sum of await ledger.sumBetween(TENANT, { walletIds: null, chains: null, assetIds: null, intervals })) {
          const key = `${sum.walletId}/${sum.assetId}/${sum.type}`;
          sums.set(key, (sums.get(key) ?? 0n) + sum.amountRaw);
        }
        return new Map([...sums].filter(([, amount]) => amount !== 0n).toSorted());
      };
      expect(await sumsOf(parts)).toEqual(await sumsOf([{ from: at(-1), to: at(END + 1) }]));
    }),
    { numRuns: 60 },
  );
});
