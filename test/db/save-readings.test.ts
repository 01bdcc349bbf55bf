import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BalanceStore, createBalanceStore } from '../../src/db/balance-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { UINT256_MAX } from '../../src/domain/amount.ts';
import type { Asset } from '../../src/domain/asset.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import type { Holding, SourceReading, SourceState } from '../../src/domain/holding.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { Wallet } from '../../src/domain/wallet.ts';
import {
  addAsset,
  addOtherTenant,
  addWallet,
  amountOf,
  at,
  ETHER,
  failureOf,
  newWallet,
  readingOf,
  TIMEOUT,
  UNKNOWN_ID,
} from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: BalanceStore;
let wallet: Wallet;
let token: Asset;
let ether: Asset;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createBalanceStore(database.tenants);
  await addOtherTenant(database.db);
  ether = await addAsset(database.db, ETHER);
});
beforeEach(async () => {
  wallet = await addWallet(database.db, TENANT, { chains: ['ethereum', 'solana'] });
  token = await addAsset(database.db);
});
afterAll(() => database.close());

async function holdings(of: Wallet = wallet, tenantId = TENANT): Promise<readonly Holding[]> {
  return store.listHoldings(tenantId, { walletIds: [of.id], chains: null });
}
async function sources(of: Wallet = wallet, tenantId = TENANT): Promise<readonly SourceState[]> {
  return store.listSources(tenantId, { walletIds: [of.id], chains: null });
}
const save = (...readings: SourceReading[]): Promise<void> => store.saveReadings(TENANT, readings);
const failed = (asset: Asset) => ({ status: 'failed', asset, error: TIMEOUT }) as const;

describe('a good reading', () => {
  it('is stored whole: amounts, block, time and the state of its source', async () => {
    const ui = { amount: new Decimal('1.05'), multiplier: new Decimal('1.0000000000000000000000000001') };
    await save(readingOf(wallet, 1, [{ status: 'ok', asset: token, amountRaw: 7n, frozenRaw: 3n, ui }]));
    const block = { number: 1001n, hash: '0x1' };
    expect(await holdings()).toEqual([
      {
        walletId: wallet.id,
        asset: token,
        position: 'wallet',
        amountRaw: 7n,
        frozenRaw: 3n,
        ui,
        observedAt: at(1),
        block,
        error: null,
      },
    ]);
    expect(await sources()).toEqual([
      {
        walletId: wallet.id,
        chain: 'ethereum',
        kind: 'balances',
        observedAt: at(1),
        block,
        lastAttemptAt: at(1),
        lastOutcome: 'ok',
        intervalSeconds: 300,
        error: null,
      },
    ]);
  });

  it('keeps a slot without a hash, and stake apart from the free balance', async () => {
    const sol = await addAsset(database.db, { ...ETHER, chain: 'solana', symbol: 'SOL' });
    const block = { number: 2n ** 62n, hash: null };
    await save(
      readingOf(wallet, 1, [amountOf(sol, 5n)], { chain: 'solana', block }),
      readingOf(wallet, 1, [amountOf(sol, 9n)], { chain: 'solana', block, kind: 'stake' }),
    );
    expect((await holdings()).map(({ position, amountRaw, block: at }) => ({ position, amountRaw, at }))).toEqual([
      { position: 'stake', amountRaw: 9n, at: block },
      { position: 'wallet', amountRaw: 5n, at: block },
    ]);
    expect((await sources()).map((state) => state.kind)).toEqual(['balances', 'stake']);
  });

  it('keeps every uint256 to the last digit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constant(UINT256_MAX), fc.bigInt({ min: 1n, max: UINT256_MAX })), async (amountRaw) => {
        const owner = await addWallet(database.db, TENANT);
        await save(readingOf(owner, 1, [{ status: 'ok', asset: token, amountRaw, frozenRaw: amountRaw, ui: null }]));
        expect(await holdings(owner)).toMatchObject([{ amountRaw, frozenRaw: amountRaw }]);
      }),
      { numRuns: 40 },
    );
  });

  it('replaces what was stored, with its failure', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    await save(readingOf(wallet, 2, [failed(token)]));
    await save(readingOf(wallet, 3, [amountOf(token, 8n)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 8n, observedAt: at(3), error: null }]);
  });

  it('may be saved twice', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 7n }]);
  });

  it('is believed in its last word when it names a source or an asset twice', async () => {
    await save(readingOf(wallet, 2, [amountOf(token, 1n), amountOf(token, 2n)]), readingOf(wallet, 1, [amountOf(token, 3n)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 2n, observedAt: at(2) }]);
  });

  it('is refused when it names an asset that was never stored', async () => {
    await expect(save(readingOf(wallet, 1, [amountOf({ chain: 'ethereum', address: '0xnew' }, 1n)]))).rejects.toThrow('0xnew');
    expect(await sources()).toEqual([]);
  });
});

describe('an older reading', () => {
  it('is ignored, good or failed', async () => {
    await save(readingOf(wallet, 5, [amountOf(token, 7n)]));
    const before = [await holdings(), await sources()];
    await save(readingOf(wallet, 4, [amountOf(token, 1n)], { exhaustive: true }));
    await save(failureOf(wallet, 3));
    await save(readingOf(wallet, 2, [failed(token)]));
    expect([await holdings(), await sources()]).toEqual(before);
  });

  it('still counts when only a failure is newer', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    await save(failureOf(wallet, 3));
    await save(readingOf(wallet, 2, [amountOf(token, 8n)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 8n, observedAt: at(2) }]);
    expect(await sources()).toMatchObject([{ observedAt: at(2), lastAttemptAt: at(3), lastOutcome: 'failed', error: TIMEOUT }]);
  });
});

describe('a failure', () => {
  it('of a source keeps its amounts and its last good read, and is noted', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    const before = await holdings();
    await save(failureOf(wallet, 2));
    expect(await holdings()).toEqual(before);
    expect(await sources()).toMatchObject([
      { observedAt: at(1), block: { number: 1001n }, lastAttemptAt: at(2), lastOutcome: 'failed', error: TIMEOUT },
    ]);
    await save(readingOf(wallet, 3, [amountOf(token, 7n)]));
    expect(await sources()).toMatchObject([{ observedAt: at(3), lastOutcome: 'ok', error: null }]);
  });

  it('of a source that never succeeded leaves no amount', async () => {
    const error = { code: 'upstream_unsupported', provider: null } as const;
    await save(failureOf(wallet, 1), {
      walletId: wallet.id,
      chain: 'solana',
      kind: 'stake',
      status: 'unsupported',
      attemptedAt: at(1),
      error,
    });
    expect(await holdings()).toEqual([]);
    expect(await sources()).toMatchObject([
      { chain: 'ethereum', observedAt: null, block: null, lastOutcome: 'failed', error: TIMEOUT },
      { chain: 'solana', observedAt: null, block: null, lastOutcome: 'unsupported', error },
    ]);
  });

  it('of one asset keeps its last amount, or null when it was never read', async () => {
    const other = await addAsset(database.db);
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    await save(readingOf(wallet, 2, [failed(token), failed(other)], { exhaustive: true }));
    const found = new Map((await holdings()).map((holding) => [holding.asset.id, holding]));
    expect(found.get(token.id)).toMatchObject({ amountRaw: 7n, observedAt: at(1), block: { number: 1001n }, error: TIMEOUT });
    expect(found.get(other.id)).toMatchObject({ amountRaw: null, observedAt: null, block: null, error: TIMEOUT });
    await save(readingOf(wallet, 3, [amountOf(token, 7n), amountOf(other, 0n)]));
    expect(await holdings()).toMatchObject([{ asset: token, amountRaw: 7n, error: null }]);
  });
});

describe('a zero', () => {
  it('is stored over an existing row only', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 0n)]));
    await save(readingOf(wallet, 2, [failed(token)]));
    expect(await holdings()).toMatchObject([{ amountRaw: null }]);
    await save(readingOf(wallet, 3, [amountOf(token, 7n)]));
    await save(readingOf(wallet, 4, [amountOf(token, 0n)]));
    expect(await holdings()).toEqual([]);
    await save(readingOf(wallet, 5, [failed(token)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 0n, observedAt: at(4), block: { number: 1004n }, error: TIMEOUT }]);
  });

  it('of an asset that is not stored at all is no fault', async () => {
    await save(readingOf(wallet, 1, [amountOf({ chain: 'ethereum', address: '0xnobody' }, 0n), amountOf(token, 1n)]));
    expect(await holdings()).toMatchObject([{ asset: token }]);
  });

  it("of the chain's own coin is stored and listed", async () => {
    await save(readingOf(wallet, 1, [amountOf(ether, 0n)]));
    expect(await holdings()).toMatchObject([{ asset: ether, amountRaw: 0n, observedAt: at(1), error: null }]);
  });

  it('takes the display amount and the frozen part along', async () => {
    const ui = { amount: new Decimal(2), multiplier: new Decimal(2) };
    await save(readingOf(wallet, 1, [{ status: 'ok', asset: token, amountRaw: 1n, frozenRaw: 1n, ui }]));
    await save(readingOf(wallet, 2, [amountOf(token, 0n)]));
    await save(readingOf(wallet, 3, [failed(token)]));
    expect(await holdings()).toMatchObject([{ amountRaw: 0n, frozenRaw: 0n, ui: null }]);
  });
});

describe('what a reading does not name', () => {
  it('stays as it is', async () => {
    const other = await addAsset(database.db);
    await save(readingOf(wallet, 1, [amountOf(token, 7n)]));
    await save(readingOf(wallet, 2, [amountOf(other, 1n)]));
    expect((await holdings()).find((holding) => holding.asset.id === token.id)).toMatchObject({
      amountRaw: 7n,
      observedAt: at(1),
    });
  });

  it('becomes zero at its block when the reading is exhaustive, for this wallet, chain and position only', async () => {
    const sol = await addAsset(database.db, { ...ETHER, chain: 'solana', symbol: 'SOL' });
    const mint = await addAsset(database.db, { chain: 'solana', standard: 'spl' });
    const neverRead = await addAsset(database.db, { chain: 'solana', standard: 'spl' });
    const neighbour = await addWallet(database.db, TENANT, { chains: ['solana'] });
    const chain = 'solana';
    await save(
      readingOf(wallet, 1, [amountOf(sol, 1n), amountOf(mint, 2n), failed(neverRead)], { chain }),
      readingOf(wallet, 1, [amountOf(sol, 3n)], { chain, kind: 'stake' }),
      readingOf(wallet, 1, [amountOf(token, 4n)]),
      readingOf(neighbour, 1, [amountOf(mint, 5n)], { chain }),
    );
    await save(readingOf(wallet, 2, [], { chain, exhaustive: true }));
    expect((await holdings()).map(({ asset, position, amountRaw }) => [asset.id, position, amountRaw])).toEqual([
      [token.id, 'wallet', 4n],
      [sol.id, 'stake', 3n],
      [sol.id, 'wallet', 0n],
    ]);
    expect(await holdings(neighbour)).toMatchObject([{ amountRaw: 5n }]);
    await save(readingOf(wallet, 3, [failed(mint), failed(neverRead)], { chain }));
    expect((await holdings()).filter(({ asset }) => asset.id === mint.id || asset.id === neverRead.id)).toMatchObject([
      { amountRaw: 0n, observedAt: at(2), block: { number: 1002n } },
      { amountRaw: 0n, observedAt: at(2), block: { number: 1002n } },
    ]);
  });
});

describe('a reading that comes too late', () => {
  it('is dropped for a wallet that was deleted, and the others are kept', async () => {
    const gone = await addWallet(database.db, TENANT);
    await createWalletStore(database.tenants).delete(TENANT, gone.id);
    await save(
      readingOf(gone, 1, [amountOf(token, 1n)]),
      failureOf({ id: UNKNOWN_ID }, 1),
      readingOf(wallet, 1, [amountOf(token, 2n)]),
    );
    expect(await holdings(gone)).toEqual([]);
    expect(await holdings()).toMatchObject([{ amountRaw: 2n }]);
  });

  it('is dropped for a chain that the wallet does not follow', async () => {
    await save(readingOf(wallet, 1, [amountOf(token, 1n)], { chain: 'base' }));
    expect(await sources()).toEqual([]);
    await save();
  });

  it('neither fails nor leaves anything when the wallet is deleted at the same time', async () => {
    const wallets = createWalletStore(database.tenants);
    const added = await wallets.addMany(
      TENANT,
      Array.from({ length: 40 }, () => newWallet()),
    );
    const ids = added.map((entry) => entry.wallet);
    await Promise.all([
      ...[1, 2, 3].map((seconds) => save(...ids.map((entry) => readingOf(entry, seconds, [amountOf(token, 1n)])))),
      ...ids.map((entry) => wallets.delete(TENANT, entry.id)),
    ]);
    const filter = { walletIds: ids.map((entry) => entry.id), chains: null };
    expect(await store.listHoldings(TENANT, filter)).toEqual([]);
    expect(await store.listSources(TENANT, filter)).toEqual([]);
  });
});
