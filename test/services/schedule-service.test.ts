import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AddressReading, BalanceSource } from '../../src/adapters/balance-source.ts';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createScheduleStore } from '../../src/db/schedule-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { chains } from '../../src/domain/chains.ts';
import { AppError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { WalletBatch } from '../../src/domain/wallet-batch.ts';
import { createScheduleService, type ScheduleService } from '../../src/services/schedule-service.ts';
import { newWallet } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const BASE_SECONDS = 300;
const forever = new AbortController().signal;

let database: TestDatabase;
/** Wei by address; an AppError fails the whole chain, a promise is waited for. */
let amounts: Map<string, bigint>;
let fault: Error | undefined;
let onRead: (signal: AbortSignal) => Promise<void>;
let reads: number;
let service: ScheduleService;
let queued: WalletBatch[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await sql`delete from wallets`.execute(database.db);
  amounts = new Map();
  fault = undefined;
  onRead = async () => undefined;
  reads = 0;
  queued = [];
  service = createService();
});

const source: BalanceSource = {
  chain: 'ethereum',
  kinds: ['balances'],
  async readBalances({ addresses, signal }) {
    reads++;
    await onRead(signal);
    if (fault !== undefined) throw fault;
    const read = addresses.map((address): AddressReading => {
      const amountRaw = amounts.get(address);
      if (amountRaw === undefined) {
        return { address, kind: 'balances', status: 'failed', error: { code: 'upstream_timeout', provider: 'rpc' } };
      }
      const asset = { chain: 'ethereum', address: null };
      const readings = [{ status: 'ok', asset, amountRaw, frozenRaw: 0n, ui: null } as const];
      return { address, kind: 'balances', status: 'ok', exhaustive: false, readings };
    });
    return { block: { number: BigInt(reads), hash: null }, observedAt: new Date(), addresses: read };
  },
  describeTokens: async () => new Map(),
  probe: async () => ({ block: { number: 1n, hash: null } }),
};

function createService(): ScheduleService {
  return createScheduleService({
    schedules: createScheduleStore(database.tenants),
    wallets: createWalletStore(database.tenants),
    assets: createAssetStore(database.tenants),
    balances: createBalanceStore(database.tenants),
    prices: {
      refreshPrices: async () => undefined,
      refreshRates: async () => undefined,
      getPrices: async () => new Map(),
      getRate: async () => undefined,
      health: () => [],
      stop: async () => undefined,
    },
    listedTokens: () => [],
    chains,
    sources: new Map([['ethereum', source]]),
    baseSeconds: BASE_SECONDS,
    random: () => 0.5,
    log: { warn: () => undefined },
  });
}

const enqueue = async (batches: readonly WalletBatch[]): Promise<void> => void queued.push(...batches);

/** Adds wallets that hold this much; null: one that cannot be read. */
async function addWallets(...held: readonly (bigint | null)[]): Promise<readonly string[]> {
  const wallets = held.map(() => newWallet());
  for (const [index, amount] of held.entries()) {
    const address = wallets[index]?.address;
    if (address !== undefined && amount !== null) amounts.set(address, amount);
  }
  return (await createWalletStore(database.tenants).addMany(TENANT, wallets)).map(({ wallet }) => wallet.id);
}

/** In how many seconds each wallet is due, and its streak. */
async function plans(): Promise<ReadonlyMap<string, { dueIn: number; streak: number; claimed: boolean }>> {
  const { rows } = await sql<{ wallet_id: string; due_in: string; idle_streak: number; claimed: boolean }>`
    select wallet_id, round(extract(epoch from due_at - now())) as due_in, idle_streak, claim_id is not null as claimed
    from wallet_schedules`.execute(database.db);
  return new Map(
    rows.map((row) => [row.wallet_id, { dueIn: Number(row.due_in), streak: row.idle_streak, claimed: row.claimed }]),
  );
}

async function claimAll(): Promise<readonly WalletBatch[]> {
  await service.dispatch(enqueue);
  return queued.splice(0);
}

async function readAll(): Promise<void> {
  for (const batch of await claimAll()) await service.readBatch(batch, forever);
}

async function makeAllDue(): Promise<void> {
  await sql`update wallet_schedules set due_at = now() - interval '1 second'`.execute(database.db);
}

const amountsOf = async (walletIds: readonly string[]) =>
  (await createBalanceStore(database.tenants).listHoldings(TENANT, { walletIds, chains: null })).map(
    ({ amountRaw }) => amountRaw,
  );

describe('a batch', () => {
  it('is read, stored, and planned by what was found', async () => {
    const [rich = '', empty = '', failing = ''] = await addWallets(5n, 0n, null);
    await readAll();
    expect(await amountsOf([rich])).toEqual([5n]);
    const first = await plans();
    expect(first.get(rich)).toEqual({ dueIn: 75, streak: 0, claimed: false });
    expect(first.get(empty)).toEqual({ dueIn: 300, streak: 1, claimed: false });
    expect(first.get(failing)).toEqual({ dueIn: 600, streak: 0, claimed: false });
    for (let round = 0; round < 5; round++) {
      await makeAllDue();
      await readAll();
    }
    const later = await plans();
    expect(later.get(rich)).toMatchObject({ dueIn: 300, streak: 5 });
    expect(later.get(empty)).toMatchObject({ dueIn: 600, streak: 6 });
    expect(later.get(failing)).toMatchObject({ dueIn: 1200 });
  });

  it('holds a hundred wallets of one chain, and no more are under way than can be read soon', async () => {
    await addWallets(...Array.from({ length: 650 }, () => 1n));
    const batches = await claimAll();
    expect(batches.map(({ walletIds }) => walletIds.length)).toEqual([100, 100, 100, 100]);
    expect(await claimAll()).toEqual([]);
    const [first] = batches;
    if (first === undefined) throw new Error('no batch');
    await service.readBatch(first, forever);
    expect((await claimAll()).length).toBe(1);
    const [backlog] = await service.getBacklogs();
    expect(backlog).toMatchObject({ chain: 'ethereum', due: 150, claimed: 400 });
  });

  it('that comes twice, or after its claim, has no second effect', async () => {
    const ids = await addWallets(5n);
    const [batch] = await claimAll();
    if (batch === undefined) throw new Error('no batch');
    await Promise.all([service.readBatch(batch, forever), service.readBatch(batch, forever)]);
    await service.readBatch(batch, forever);
    expect(reads).toBeLessThanOrEqual(2);
    expect((await plans()).get(ids[0] ?? '')).toEqual({ dueIn: 75, streak: 0, claimed: false });
    const before = reads;
    await service.readBatch(batch, forever);
    expect(reads).toBe(before);
  });

  it('of another chain than ours, or of wallets that are gone, is nothing to do', async () => {
    await addWallets(5n);
    const [batch] = await claimAll();
    if (batch === undefined) throw new Error('no batch');
    await service.readBatch({ ...batch, chain: 'nowhere' }, forever);
    await sql`delete from wallets`.execute(database.db);
    await service.readBatch(batch, forever);
    expect(reads).toBe(0);
  });

  it('that is cut off by a stop stores nothing and is due again at once', async () => {
    const ids = await addWallets(5n);
    const stopping = new AbortController();
    onRead = async () => stopping.abort(new AppError('shutting_down', 'stopping'));
    const [batch] = await claimAll();
    if (batch === undefined) throw new Error('no batch');
    await service.readBatch(batch, stopping.signal);
    expect(await amountsOf(ids)).toEqual([]);
    expect((await plans()).get(ids[0] ?? '')).toMatchObject({ claimed: false });
    onRead = async () => undefined;
    await readAll();
    expect(await amountsOf(ids)).toEqual([5n]);
  });

  it('that fails for a fault of ours is told, and its wallets wait longer each time', async () => {
    const [id = ''] = await addWallets(5n);
    fault = new TypeError('x is not a function');
    const [batch] = await claimAll();
    if (batch === undefined) throw new Error('no batch');
    await expect(service.readBatch(batch, forever)).rejects.toThrow('x is not a function');
    expect((await plans()).get(id)).toEqual({ dueIn: 600, streak: 0, claimed: false });
    fault = undefined;
    await createScheduleStore(database.tenants).makeDue(batch);
    await readAll();
    expect(await amountsOf([id])).toEqual([5n]);
  });
});

describe('wallets that are due', () => {
  it('are due again at once when the queue cannot take them', async () => {
    await addWallets(1n, 1n);
    const refused = service.dispatch(async () => {
      throw new Error('the queue did not answer');
    });
    expect(await refused).toBe(0);
    expect((await claimAll()).flatMap(({ walletIds }) => walletIds)).toHaveLength(2);
  });

  it('are claimed by one call at a time in a process, and never twice by several', async () => {
    await addWallets(...Array.from({ length: 300 }, () => 1n));
    const others = [createService(), createService()];
    await Promise.all([service, service, ...others, service].map((each) => each.dispatch(enqueue)));
    const ids = queued.flatMap(({ walletIds }) => walletIds);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(0);
  });

  it('do not depend on the clocks of processes', async () => {
    const [id = ''] = await addWallets(5n);
    await readAll();
    const real = Date.now;
    try {
      for (const jump of [3_600_000, -3_600_000]) {
        Date.now = () => real() + jump;
        expect(await claimAll()).toEqual([]);
      }
    } finally {
      Date.now = real;
    }
    expect((await plans()).get(id)?.dueIn).toBeGreaterThan(60);
  });
});
