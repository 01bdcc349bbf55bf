import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import type { Interval } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createLedgerStore, type LedgerStore, type LedgerSum } from '../../../src/db/ledger/ledger-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import type { Position } from '../../../src/domain/holding.ts';
import type { NewLedgerEntry } from '../../../src/domain/ledger/ledger.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addAsset, addOtherTenant, addWallet, amountOf, at, OTHER_TENANT_ID, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const ALL = { walletIds: null, chains: null, assetIds: null };
let database: TestDatabase;
let ledger: LedgerStore;
let alice: Wallet;
let bob: Wallet;
let token: Asset;
let dollar: Asset;
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  ledger = createLedgerStore(database.tenants);
  token = await addAsset(database.db);
  dollar = await addAsset(database.db);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of ['wallets', 'holding_points', 'holding_series', 'snapshots', 'snapshot_hours', 'snapshot_days']) {
    await sql`truncate ${sql.table(table)} cascade`.execute(database.db);
  }
  alice = await addWallet(database.db, TENANT);
  bob = await addWallet(database.db, TENANT);
});

function entryOf(wallet: Wallet, asset: Asset, amountRaw: bigint, overrides: Partial<NewLedgerEntry> = {}): NewLedgerEntry {
  return {
    walletId: wallet.id,
    chain: asset.chain,
    assetId: asset.id,
    occurredAt: at(0),
    kind: 'transfer',
    amountRaw,
    counterparty: '0x00000000000000000000000000000000000000FF',
    txHash: null,
    blockNumber: null,
    origin: 'chain',
    price: null,
    note: null,
    reference: `reference ${++count}`,
    ...overrides,
  };
}

/** What a wallet holds, as it is read at a block. */
async function hold(
  wallet: Wallet,
  asset: Asset,
  amountRaw: bigint,
  block: number,
  position: Position = 'wallet',
): Promise<void> {
  await createBalanceStore(database.tenants).saveReadings(TENANT, [
    readingOf(wallet, block, [amountOf(asset, amountRaw)], {
      kind: position === 'stake' ? 'stake' : 'balances',
      block: { number: BigInt(block), hash: null },
    }),
  ]);
}

const take = (seconds: number): Promise<boolean> =>
  createSnapshotStore(database.tenants).take(TENANT, { at: at(seconds), grade: 'full', missing: [], excludedAssetIds: [] });

const until = (from: number, to: number): Interval => ({ from: at(from), to: at(to) });

async function sums(...intervals: readonly Interval[]): Promise<readonly string[]> {
  const found = await ledger.sumBetween(TENANT, { ...ALL, intervals });
  return found.map(showSum).toSorted();
}

function showSum({ place, walletId, assetId, type, amountRaw }: LedgerSum): string {
  const wallet = new Map([
    [alice.id, 'alice'],
    [bob.id, 'bob'],
  ]).get(walletId);
  return `${place}: ${wallet} ${type} ${amountRaw} ${assetId === token.id ? 'token' : 'dollar'}`;
}

describe('entries', () => {
  it('are stored once, whatever comes again, and told as they were given', async () => {
    const price = { value: new Decimal('1.5'), currency: 'EUR' };
    const bought = entryOf(alice, token, 2n ** 255n, {
      kind: 'trade',
      origin: 'manual',
      price,
      note: 'a\u0000b',
      occurredAt: at(5),
    });
    const other = entryOf(bob, token, -1n, { reference: bought.reference, blockNumber: 7n, txHash: '0xab', occurredAt: at(6) });
    expect(await ledger.addMany(TENANT, [bought, bought, other])).toEqual({
      added: [bought.reference, other.reference],
      known: [bought.reference],
    });
    expect(await ledger.addMany(TENANT, [other])).toEqual({ added: [], known: [other.reference] });
    const { kind: _, reference: __, ...plain } = bought;
    const listed = await ledger.listBetween(TENANT, { ...ALL, ...until(4, 6) });
    expect(listed).toMatchObject([
      { ...plain, type: 'trade', note: 'ab' },
      { walletId: bob.id, type: 'withdrawal', amountRaw: -1n, blockNumber: 7n, txHash: '0xab', price: null },
    ]);
    expect(await ledger.listBetween(TENANT, { ...ALL, ...until(5, 6), walletIds: [alice.id] })).toEqual([]);
    expect(await ledger.listBetween(OTHER_TENANT_ID, { ...ALL, ...until(0, 9) })).toEqual([]);
  });

  it('of a wallet that is gone are not stored, and go with it', async () => {
    await ledger.addMany(TENANT, [entryOf(alice, token, 1n)]);
    await createWalletStore(database.tenants).delete(TENANT, alice.id);
    expect(await ledger.addMany(TENANT, [entryOf(alice, token, 2n), entryOf(bob, token, 3n)])).toMatchObject({
      added: [expect.any(String)],
    });
    expect(await ledger.listBetween(TENANT, { ...ALL, ...until(-1, 1) })).toMatchObject([{ amountRaw: 3n }]);
  });
});

describe('a transfer', () => {
  async function typesOf(...entries: readonly NewLedgerEntry[]): Promise<readonly string[]> {
    await ledger.addMany(TENANT, entries);
    const listed = await ledger.listBetween(TENANT, { ...ALL, ...until(-1, 1) });
    return listed.map(({ type, amountRaw }) => `${amountRaw} ${type}`).toSorted();
  }

  it('is a deposit or a withdrawal', async () => {
    expect(await typesOf(entryOf(alice, token, 5n, { counterparty: null }), entryOf(alice, token, -2n))).toEqual([
      '-2 withdrawal',
      '5 deposit',
    ]);
  });

  it('is internal between wallets that are tracked on its chain, in whatever case their addresses come', async () => {
    const elsewhere = await addWallet(database.db, TENANT, { chains: ['base'] });
    const other = await addWallet(database.db, OTHER_TENANT_ID);
    expect(
      await typesOf(
        entryOf(alice, token, -5n, { txHash: '0x1', counterparty: bob.address.toUpperCase().replace('0X', '0x') }),
        entryOf(bob, token, 5n, { txHash: '0x1', counterparty: alice.address.toLowerCase() }),
        entryOf(bob, token, -6n, { txHash: '0x2', counterparty: elsewhere.address }),
        entryOf(bob, token, -7n, { txHash: '0x3', counterparty: other.address }),
      ),
    ).toEqual(['-5 internal', '-6 withdrawal', '-7 withdrawal', '5 internal']);
  });

  it('is not internal where the ledger of the other wallet does not have it', async () => {
    expect(await typesOf(entryOf(alice, token, -5n, { txHash: '0x1', counterparty: bob.address }))).toEqual(['-5 withdrawal']);
    const got = { txHash: '0x1', counterparty: alice.address };
    expect(await typesOf(entryOf(bob, dollar, 5n, got))).toContain('-5 withdrawal');
    expect(await typesOf(entryOf(bob, token, 5n, got))).toContain('-5 internal');
  });

  it('knows addresses of Solana in their own case only', async () => {
    const address = 'So11111111111111111111111111111111111111112';
    const mine = await addWallet(database.db, TENANT, { family: 'solana', address, chains: ['solana'] });
    const sol = await addAsset(database.db, {
      chain: 'solana',
      address: 'Mint1111111111111111111111111111111111111',
      standard: 'spl',
    });
    expect(
      await typesOf(
        entryOf(mine, sol, -1n, { txHash: 'One', counterparty: address }),
        entryOf(mine, sol, 1n, { txHash: 'One', counterparty: address }),
        entryOf(mine, sol, -2n, { txHash: 'Two', counterparty: address.toLowerCase() }),
        entryOf(mine, sol, 2n, { txHash: 'Two', counterparty: address.toLowerCase() }),
      ),
    ).toEqual(['-1 internal', '-2 withdrawal', '1 internal', '2 deposit']);
  });

  it('is a trade when its transaction brings one asset and takes another', async () => {
    const inTransaction = (txHash: string, wallet: Wallet, asset: Asset, amount: bigint, more: Partial<NewLedgerEntry> = {}) =>
      entryOf(wallet, asset, amount, { txHash, ...more });
    expect(
      await typesOf(
        inTransaction('0x1', alice, token, 10n),
        inTransaction('0x1', alice, dollar, -30n),
        inTransaction('0x1', alice, dollar, 3n),
        inTransaction('0x1', alice, token, -1n, { kind: 'fee' }),
        // Out and in again, of one asset only.
        inTransaction('0x2', alice, token, 11n),
        inTransaction('0x2', alice, token, -12n),
        // The other leg is another wallet's, or from one.
        inTransaction('0x3', alice, token, 13n),
        inTransaction('0x3', bob, dollar, -14n),
        inTransaction('0x4', bob, dollar, -15n),
        inTransaction('0x4', bob, token, 16n, { counterparty: alice.address }),
        inTransaction('0x4', alice, token, -16n, { counterparty: bob.address }),
      ),
    ).toEqual(
      [
        ...['10 trade', '-30 trade', '3 trade', '-1 fee'],
        ...['11 deposit', '-12 withdrawal', '13 deposit', '-14 withdrawal'],
        ...['-15 withdrawal', '16 internal', '-16 internal'],
      ].toSorted(),
    );
  });
});

describe('sums', () => {
  it('count an entry where the amounts first show its block', async () => {
    await hold(alice, token, 100n, 10);
    await take(0);
    await hold(alice, token, 150n, 20);
    await take(100);
    await take(200);
    await hold(alice, token, 140n, 30);
    await take(300);
    await ledger.addMany(TENANT, [
      entryOf(alice, token, 70n, { blockNumber: 11n, occurredAt: at(150) }),
      entryOf(alice, token, -20n, { blockNumber: 20n, occurredAt: at(50) }),
      entryOf(alice, token, -15n, { blockNumber: 21n, occurredAt: at(50) }),
      // Not yet in the amounts, and long in them.
      entryOf(alice, token, 99n, { blockNumber: 31n, occurredAt: at(250) }),
      entryOf(alice, token, 98n, { blockNumber: 10n, occurredAt: at(-50) }),
    ]);
    expect(await sums(until(-100, 0), until(0, 100), until(100, 200), until(200, 300), until(300, 400))).toEqual(
      [
        '0: alice opening 100 token',
        '1: alice deposit 70 token',
        '1: alice withdrawal -20 token',
        '3: alice withdrawal -15 token',
        '3: alice unexplained 5 token',
      ].toSorted(),
    );
    expect(await sums(until(-100, 400))).toEqual(
      [
        '0: alice opening 100 token',
        '0: alice deposit 70 token',
        '0: alice withdrawal -35 token',
        '0: alice unexplained 5 token',
      ].toSorted(),
    );
  });

  it('count an entry without a block at the first snapshot after it, with what does not match told as unexplained', async () => {
    await hold(alice, token, 100n, 10);
    await take(0);
    await take(100);
    await take(200);
    await ledger.addMany(TENANT, [
      entryOf(alice, token, 7n, { kind: 'deposit', occurredAt: at(100), origin: 'manual' }),
      entryOf(alice, dollar, 8n, { kind: 'income', occurredAt: at(101), origin: 'manual' }),
      entryOf(alice, token, 9n, { kind: 'deposit', occurredAt: at(201), origin: 'manual' }),
    ]);
    expect(await sums(until(0, 100), until(100, 300))).toEqual(
      [
        '0: alice deposit 7 token',
        '0: alice unexplained -7 token',
        '1: alice income 8 dollar',
        '1: alice unexplained -8 dollar',
      ].toSorted(),
    );
  });

  it('net what went between two wallets to zero, and keep what came in at first apart from what was there', async () => {
    await sql`update wallets set created_at = ${at(0)}`.execute(database.db);
    await hold(alice, token, 100n, 10);
    await take(10);
    await hold(alice, token, 60n, 20);
    await hold(bob, token, 45n, 20);
    await take(20);
    await ledger.addMany(TENANT, [
      entryOf(alice, token, -40n, { txHash: '0x1', counterparty: bob.address, blockNumber: 15n, occurredAt: at(15) }),
      entryOf(bob, token, 40n, { txHash: '0x1', counterparty: alice.address, blockNumber: 15n, occurredAt: at(15) }),
    ]);
    expect(await sums(until(10, 20))).toEqual(
      ['0: alice internal -40 token', '0: bob internal 40 token', '0: bob opening 5 token'].toSorted(),
    );
  });

  it('go over positions, wallets that are gone, and what is asked for', async () => {
    await hold(alice, token, 100n, 10);
    await hold(bob, token, 50n, 10);
    await hold(bob, dollar, 1n, 10);
    await take(0);
    await hold(alice, token, 60n, 20);
    await hold(alice, token, 40n, 21, 'stake');
    await createWalletStore(database.tenants).delete(TENANT, bob.id);
    await take(100);
    expect(await sums(until(0, 100))).toEqual(['0: bob unexplained -1 dollar', '0: bob unexplained -50 token'].toSorted());
    const asked = { intervals: [until(-1, 0)], walletIds: [bob.id], chains: ['ethereum'], assetIds: [dollar.id] };
    expect((await ledger.sumBetween(TENANT, asked)).map(showSum)).toEqual(['0: bob opening 1 dollar']);
    expect(await ledger.sumBetween(TENANT, { ...asked, chains: ['base'] })).toEqual([]);
    expect(await ledger.sumBetween(OTHER_TENANT_ID, { ...ALL, intervals: [until(-1, 100)] })).toEqual([]);
    expect(await ledger.sumBetween(TENANT, { ...ALL, intervals: [] })).toEqual([]);
  });
});
