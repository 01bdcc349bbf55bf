import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createPriceStore } from '../../src/db/price-store.ts';
import { type ClaimOptions, createScheduleStore, type ScheduleStore } from '../../src/db/schedule-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { WalletBatch } from '../../src/domain/wallet-batch.ts';
import {
  addAsset,
  addOtherTenant,
  addWallet,
  amountOf,
  countStatements,
  newWallet,
  OTHER_TENANT_ID,
  readingOf,
  UNKNOWN_ID,
} from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: ScheduleStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createScheduleStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());
beforeEach(() => sql`delete from wallets`.execute(database.db));

const BEGIN = { leaseSeconds: 60, retrySeconds: 600 };

function claim(overrides: Partial<ClaimOptions> = {}): Promise<readonly WalletBatch[]> {
  const chains = [
    { slug: 'ethereum', batchSize: 100 },
    { slug: 'base', batchSize: 100 },
  ];
  return store.claimDue({ chains, maxOpenBatches: 4, leaseSeconds: 60, ...overrides });
}

async function claimOne(): Promise<WalletBatch> {
  const [batch, ...others] = await claim();
  if (batch === undefined || others.length > 0) throw new Error(`${others.length} batches too many`);
  return batch;
}

async function addMany(count: number, chains = ['ethereum'], tenantId = TENANT): Promise<readonly string[]> {
  const wallets = Array.from({ length: count }, () => newWallet({ chains }));
  const added = await createWalletStore(database.tenants).addMany(tenantId, wallets);
  return added.map(({ wallet }) => wallet.id);
}

/** Lets time pass for the schedules. */
function elapse(seconds: number): Promise<unknown> {
  return sql`update wallet_schedules set due_at = due_at - make_interval(secs => ${seconds}),
    claimed_until = claimed_until - make_interval(secs => ${seconds})`.execute(database.db);
}

const next = (walletId: string, dueInSeconds = 300) => ({ walletId, dueInSeconds, intervalSeconds: 300, idleStreak: 1 });

describe('wallets that are due', () => {
  it('are those just added, on each of their chains', async () => {
    const { id } = await addWallet(database.db, TENANT, { chains: ['ethereum', 'base'] });
    const batches = await claim();
    expect(batches.map(({ chain, walletIds }) => [chain, walletIds]).sort()).toEqual([
      ['base', [id]],
      ['ethereum', [id]],
    ]);
    expect(new Set(batches.map(({ claimId }) => claimId)).size).toBe(2);
  });

  it('are also those that a chain was added to, on this chain alone', async () => {
    const wallet = newWallet();
    await createWalletStore(database.tenants).addMany(TENANT, [wallet]);
    const first = await claimOne();
    await store.begin(first, BEGIN);
    await store.finish(
      first,
      first.walletIds.map((id) => next(id)),
    );
    await createWalletStore(database.tenants).addMany(TENANT, [{ ...wallet, chains: ['ethereum', 'base'] }]);
    expect(await claimOne()).toMatchObject({ chain: 'base', walletIds: first.walletIds });
  });

  it('are taken in batches of one tenant, nobody twice', async () => {
    const mine = await addMany(250);
    const theirs = await addMany(30, ['ethereum'], OTHER_TENANT_ID);
    const batches = await claim();
    expect(batches.map(({ tenantId, walletIds }) => [tenantId, walletIds.length]).sort()).toEqual([
      [TENANT, 100],
      [TENANT, 100],
      [TENANT, 50],
      [OTHER_TENANT_ID, 30],
    ]);
    expect(batches.flatMap(({ walletIds }) => walletIds).toSorted()).toEqual([...mine, ...theirs].toSorted());
    expect(await claim()).toEqual([]);
  });

  it('are never given to two who ask at once', async () => {
    const ids = await addMany(400);
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim({ maxOpenBatches: 50 })));
    const rest = await claim({ maxOpenBatches: 50 });
    const taken = [...claims.flat(), ...rest].flatMap(({ walletIds }) => walletIds);
    expect(taken.toSorted()).toEqual([...ids].toSorted());
  });

  it('are left alone while enough of their chain are under way, whatever other chains do', async () => {
    await addMany(500, ['ethereum']);
    await addMany(100, ['base']);
    const first = await claim({ maxOpenBatches: 2 });
    expect(first.map(({ chain }) => chain).sort()).toEqual(['base', 'ethereum', 'ethereum']);
    expect(await claim({ maxOpenBatches: 2 })).toEqual([]);
    const done = first.filter(({ chain }) => chain === 'ethereum').slice(0, 1);
    for (const batch of done)
      await store.finish(
        batch,
        batch.walletIds.map((id) => next(id)),
      );
    expect(await claim({ maxOpenBatches: 2 })).toHaveLength(1);
  });

  it('are taken longest overdue first', async () => {
    const late = await addMany(3);
    await elapse(100);
    await addMany(10);
    const chains = [{ slug: 'ethereum', batchSize: 3 }];
    const [batch] = await claim({ chains, maxOpenBatches: 1 });
    expect(batch?.walletIds).toEqual(late.toSorted());
  });

  it('of many tenants make no more batches than there is room for', async () => {
    await addMany(2);
    await addMany(2, ['ethereum'], OTHER_TENANT_ID);
    expect(await claim({ maxOpenBatches: 1 })).toHaveLength(1);
  });

  it('of many tenants are taken in turn, however long one of them has had how much to read', async () => {
    await addMany(1_000);
    await elapse(10_000);
    await addMany(5, ['ethereum'], OTHER_TENANT_ID);
    const first = await claim();
    expect(first.filter(({ tenantId }) => tenantId === OTHER_TENANT_ID)).toHaveLength(1);
    expect(first).toHaveLength(4);
  });

  it('are first those of the tenant with the least under way', async () => {
    await addMany(1_000);
    expect((await claim({ maxOpenBatches: 3 })).map(({ tenantId }) => tenantId)).toEqual([TENANT, TENANT, TENANT]);
    await addMany(300, ['ethereum'], OTHER_TENANT_ID);
    expect((await claim({ maxOpenBatches: 6 })).map(({ tenantId }) => tenantId)).toEqual(Array(3).fill(OTHER_TENANT_ID));
  });

  it('are nobody of a chain that is not asked for', async () => {
    await addMany(3, ['forgotten']);
    expect(await claim()).toEqual([]);
  });
});

describe('a claim', () => {
  let batch: WalletBatch;
  beforeEach(async () => {
    await addMany(3);
    batch = await claimOne();
  });

  it('that is begun and finished sets the next reads', async () => {
    const begun = await store.begin(batch, BEGIN);
    expect(begun.map(({ walletId }) => walletId).toSorted()).toEqual(batch.walletIds);
    expect(begun[0]).toMatchObject({ intervalSeconds: 300, idleStreak: 0 });
    const [first = '', ...others] = batch.walletIds;
    await store.finish(batch, [
      { ...next(first, 10), idleStreak: 7, intervalSeconds: 75 },
      ...others.map((id) => next(id, 1000)),
    ]);
    await elapse(11);
    const again = await claimOne();
    expect(again.walletIds).toEqual([first]);
    expect(await store.begin(again, BEGIN)).toEqual([{ walletId: first, intervalSeconds: 75, idleStreak: 7 }]);
  });

  it('that nobody begins in time lapses, and its late holder gets nothing', async () => {
    await elapse(61);
    const taken = await claimOne();
    expect(taken.walletIds).toEqual(batch.walletIds);
    expect(await store.begin(batch, BEGIN)).toEqual([]);
    await store.finish(
      batch,
      batch.walletIds.map((id) => next(id, 0)),
    );
    expect(await claim()).toEqual([]);
    expect(await store.begin(taken, BEGIN)).toHaveLength(3);
  });

  it('that is over cannot be begun again', async () => {
    await store.begin(batch, BEGIN);
    await store.finish(
      batch,
      batch.walletIds.map((id) => next(id)),
    );
    expect(await store.begin(batch, BEGIN)).toEqual([]);
  });

  it('can be begun anew by the same batch as long as nobody else has it', async () => {
    await store.begin(batch, BEGIN);
    expect(await store.begin(batch, BEGIN)).toHaveLength(3);
  });

  it('whose holder never came back is not given on before the retry is due', async () => {
    await store.begin(batch, BEGIN);
    await elapse(61);
    expect(await claim()).toEqual([]);
    await elapse(540);
    expect(await claim()).toHaveLength(1);
  });

  it('that is released gives the wallets back at once', async () => {
    await store.begin(batch, BEGIN);
    await store.release([batch.claimId, UNKNOWN_ID]);
    expect((await claimOne()).walletIds).toEqual(batch.walletIds);
  });

  it('loses a wallet that is deleted', async () => {
    const [gone = '', ...others] = batch.walletIds;
    await createWalletStore(database.tenants).delete(TENANT, gone);
    expect((await store.begin(batch, BEGIN)).map(({ walletId }) => walletId).toSorted()).toEqual(others);
    await store.finish(
      batch,
      batch.walletIds.map((id) => next(id, 0)),
    );
    // Due times are rounded to the millisecond, which may not have come yet.
    await elapse(1);
    expect((await claimOne()).walletIds).toEqual(others);
  });

  it('is not broken by making its wallets due', async () => {
    await store.makeDue(batch);
    expect(await claim()).toEqual([]);
    await store.finish(
      batch,
      batch.walletIds.map((id) => next(id)),
    );
    await store.makeDue({ ...batch, tenantId: OTHER_TENANT_ID });
    expect(await claim()).toEqual([]);
    await store.makeDue(batch);
    expect((await claimOne()).walletIds).toEqual(batch.walletIds);
  });
});

it('tells how far behind each chain is', async () => {
  await addMany(5);
  await elapse(40);
  await claim({ chains: [{ slug: 'ethereum', batchSize: 2 }], maxOpenBatches: 1 });
  const [ethereum, base] = await store.getBacklogs(['ethereum', 'base']);
  expect(ethereum).toMatchObject({ chain: 'ethereum', due: 3, claimed: 2 });
  expect(ethereum?.oldestDueSeconds).toBeGreaterThanOrEqual(40);
  expect(base).toEqual({ chain: 'base', due: 0, oldestDueSeconds: 0, claimed: 0 });
});

it('tells a change of amounts from none, and what is held of listed assets', async () => {
  const [rich, empty] = [await addWallet(database.db, TENANT), await addWallet(database.db, TENANT)];
  const listed = await addAsset(database.db, { listed: true, decimals: 6 });
  const unlisted = await addAsset(database.db, { decimals: null });
  const quote = { value: new Decimal('0.5'), source: 'defillama', quotedAt: new Date() };
  const price = { lastGood: quote, suspect: null, checkedAt: new Date(), attempts: [] };
  await createPriceStore(database.tenants).savePrices(new Map([listed.id, unlisted.id].map((id) => [id, price])));
  const balances = createBalanceStore(database.tenants);
  const read = async (seconds: number, amount: bigint) => {
    const readings = [amountOf(listed, amount), amountOf(unlisted, 10n ** 60n)];
    await balances.saveReadings(TENANT, [readingOf(rich, seconds, readings), readingOf(empty, seconds, [amountOf(listed, 0n)])]);
    return store.getFacts({ tenantId: TENANT, chain: 'ethereum', walletIds: [rich.id, empty.id] });
  };
  const first = await read(1, 3_000_000n);
  expect(first.get(rich.id)?.valueUsd?.toFixed()).toBe('1.5');
  expect(first.get(empty.id)).toEqual({ fingerprint: null, valueUsd: null });
  expect((await read(2, 3_000_000n)).get(rich.id)?.fingerprint).toBe(first.get(rich.id)?.fingerprint);
  expect((await read(3, 3_000_001n)).get(rich.id)?.fingerprint).not.toBe(first.get(rich.id)?.fingerprint);
});

it('takes 1,000 wallets through a round in a handful of statements', async () => {
  await addMany(1000);
  const counting = countStatements(database.tenants);
  const counted = createScheduleStore(counting.db);
  const chains = [{ slug: 'ethereum', batchSize: 1000 }];
  const [batch] = await counted.claimDue({ chains, maxOpenBatches: 1, leaseSeconds: 60 });
  if (batch === undefined) throw new Error('no batch');
  await counted.begin(batch, BEGIN);
  await counted.getFacts(batch);
  await counted.finish(
    batch,
    batch.walletIds.map((id) => next(id)),
  );
  expect(counting.count()).toBe(4);
});
