import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { rebuildBuckets } from '../../../src/db/history/history-rebuild.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import { inTransaction } from '../../../src/db/transaction.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addWallet, amountOf, at, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const MINUTE = 60;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** A tenant of its own, with its wallets. */
async function addTenant(): Promise<{ tenantId: string; wallets: readonly Wallet[]; assets: readonly Asset[] }> {
  const { rows } = await sql<{ id: string }>`
    insert into tenants (id, name) select id, id::text from gen_random_uuid() as id returning id::text`.execute(database.db);
  const tenantId = rows[0]?.id ?? '';
  const wallets = [await addWallet(database.db, tenantId), await addWallet(database.db, tenantId)];
  const assets = [await addAsset(database.db), await addAsset(database.db)];
  return { tenantId, wallets, assets };
}

async function readBuckets(tenantId: string): Promise<unknown> {
  const tables = ['asset_hours', 'asset_days'].map((table) =>
    sql`select bucket, asset_id, amount_raw, price from ${sql.table(table)} where tenant_id = ${tenantId} order by bucket, asset_id`.execute(
      database.db,
    ),
  );
  return (await Promise.all(tables)).map(({ rows }) => rows);
}

const rebuild = (tenantId: string, from: Date, to: Date | null): Promise<void> =>
  inTransaction(database.db, (trx) => rebuildBuckets(trx, tenantId, { from, to, assetIds: null }));

/** One snapshot after another: after how long, what moved before it, and the new price of one asset. */
const steps = fc.array(
  fc.record({
    minutes: fc.integer({ min: 1, max: 900 }),
    wallet: fc.nat(1),
    asset: fc.nat(1),
    amount: fc.bigInt({ min: 0n, max: 3n }),
    price: fc.option(fc.integer({ min: 1, max: 1000 })),
  }),
  { minLength: 1, maxLength: 8 },
);

it('makes of the points the very buckets that were written with the snapshots', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(7), fc.nat(7), async (plan, first, last) => {
      const { tenantId, wallets, assets } = await addTenant();
      const snapshots = createSnapshotStore(database.tenants);
      const moments: Date[] = [];
      let seconds = 0;
      for (const step of plan) {
        seconds += step.minutes * MINUTE;
        const [wallet, asset] = [wallets[step.wallet], assets[step.asset]];
        if (wallet === undefined || asset === undefined) throw new Error('set up first');
        const block = { number: BigInt(seconds), hash: null };
        await createBalanceStore(database.tenants).saveReadings(tenantId, [
          readingOf(wallet, seconds, [amountOf(asset, step.amount)], { block }),
        ]);
        if (step.price !== null) {
          const lastGood = { value: new Decimal(step.price).div(10), source: 'test', quotedAt: at(seconds - 30) };
          const price = { lastGood, suspect: null, checkedAt: at(seconds), attempts: [] };
          await createPriceStore(database.tenants).savePrices(new Map([[asset.id, price]]));
        }
        moments.push(at(seconds));
        await snapshots.take(tenantId, { at: at(seconds), grade: 'full', missing: [], excludedAssetIds: [] });
      }
      const written = await readBuckets(tenantId);
      // A stretch of it over what is there, and everything anew.
      const edges = [moments[first % moments.length], moments[last % moments.length]].toSorted((a, b) => Number(a) - Number(b));
      await rebuild(tenantId, edges[0] ?? at(0), edges[1] ?? null);
      expect(await readBuckets(tenantId)).toEqual(written);
      for (const table of ['asset_hours', 'asset_days']) {
        await sql`update ${sql.table(table)} set amount_raw = 77 where tenant_id = ${tenantId}`.execute(database.db);
      }
      await rebuild(tenantId, at(0), null);
      expect(await readBuckets(tenantId)).toEqual(written);
    }),
    { numRuns: 10 },
  );
}, 60_000);
