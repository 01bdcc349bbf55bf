import { sql } from 'kysely';
import type { Response } from 'supertest';
import { parseEvmAddress } from '../../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../../src/adapters/solana/solana-address.ts';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createHistoryStore } from '../../src/db/history/history-store.ts';
import { createSnapshotStore, ensureMonth } from '../../src/db/history/snapshot-store.ts';
import { createLedgerStore } from '../../src/db/ledger/ledger-store.ts';
import { createTransactionStore } from '../../src/db/ledger/transaction-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import type { Asset } from '../../src/domain/asset.ts';
import { chains } from '../../src/domain/chains.ts';
import type { NewLedgerEntry } from '../../src/domain/ledger/ledger.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import type { Wallet } from '../../src/domain/wallet.ts';
import { createTransactionService } from '../../src/services/ledger/transaction-service.ts';
import { addAsset, addWallet, amountOf, at, ETHER, readingOf } from './store-fixtures.ts';
import { ownerOf } from './stub-services.ts';
import { createTestApi, type TestApi } from './test-api.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';
import type { Body } from './test-stack.ts';

export const TOKEN_ADDRESS = '0x6B175474E89094C44Da98b954EedeAC495271d0F';

/** The API over a ledger in a real database, with one wallet. It is an hour after the first moment of the fixtures. */
export type LedgerApi = {
  readonly database: TestDatabase;
  readonly call: TestApi['call'];
  readonly ether: Asset;
  readonly token: Asset;
  /** The wallet of now: `reset` makes another one. */
  wallet(): Wallet;
  /** Forgets all but the assets. */
  reset(): Promise<void>;
  /** What the wallet holds at a second, written down in a snapshot. */
  hold(asset: Asset, amountRaw: bigint, second: number): Promise<void>;
  quote(asset: Asset, second: number, value: string): Promise<void>;
  /** An entry as it would come from the chain, at the block of a second. */
  addFromChain(asset: Asset, amountRaw: bigint, second: number, overrides?: Partial<NewLedgerEntry>): Promise<void>;
  /** A deposit as it is entered by hand. */
  deposit(overrides?: object): Body;
  add(...transactions: readonly object[]): Promise<Response>;
  list(query?: string): Promise<Body>;
};

export async function startLedgerApi(): Promise<LedgerApi> {
  const database = await createTestDatabase();
  const { db, tenants } = database;
  const ether = await addAsset(db, ETHER);
  const token = await addAsset(db, { address: TOKEN_ADDRESS, symbol: 'DAI', listed: true });
  let wallet = await addWallet(db, TENANT);
  const api = createTestApi({ transactions: createService(database) }, { authenticate: async () => ownerOf(TENANT) });
  const world: LedgerApi = {
    database,
    call: api.call,
    ether,
    token,
    wallet: () => wallet,
    async reset() {
      const tables = ['wallets', 'holding_points', 'holding_series', 'snapshots', 'snapshot_hours', 'snapshot_days'];
      for (const table of [...tables, 'fx_points', 'price_points']) await sql`truncate ${sql.table(table)} cascade`.execute(db);
      wallet = await addWallet(db, TENANT);
    },
    async hold(asset, amountRaw, second) {
      await createBalanceStore(tenants).saveReadings(TENANT, [readingOf(wallet, second, [amountOf(asset, amountRaw)])]);
      await createSnapshotStore(tenants).take(TENANT, { at: at(second), grade: 'full', missing: [], excludedAssetIds: [] });
    },
    async quote(asset, second, value) {
      await ensureMonth(db, 'price_points', at(second));
      await sql`insert into price_points values (${asset.id}, ${at(second)}, ${value}, 'defillama')`.execute(db);
    },
    async addFromChain(asset, amountRaw, second, overrides = {}) {
      const entry = { ...movementOf(wallet, asset, amountRaw), occurredAt: at(second), txHash: `0x${second}`, ...overrides };
      const reference = `chain ${second} ${amountRaw}`;
      await createLedgerStore(tenants).addMany(TENANT, [{ blockNumber: BigInt(1000 + second), reference, ...entry }]);
    },
    deposit: (overrides = {}) => ({
      ...{ wallet_id: wallet.id, asset_id: 'eip155:1/slip44:60', type: 'deposit', amount: '0.5' },
      ...{ occurred_at: at(10).toISOString(), ...overrides },
    }),
    add: (...transactions) => api.call('POST', '/transactions', { body: { transactions } }),
    list: async (query = '') => (await api.call('GET', `/transactions${query}`)).body,
  };
  return world;
}

function createService({ tenants }: TestDatabase): ReturnType<typeof createTransactionService> {
  return createTransactionService({
    store: createTransactionStore(tenants),
    ledger: createLedgerStore(tenants),
    history: createHistoryStore(tenants),
    wallets: createWalletStore(tenants),
    assets: createAssetStore(tenants),
    prices: { getPrices: async () => new Map() },
    portfolio: { findHeldBack: async () => new Set() },
    parseAddress: { evm: parseEvmAddress, solana: parseSolanaAddress },
    chains,
    now: () => at(3600),
  });
}

function movementOf(wallet: Wallet, asset: Asset, amountRaw: bigint) {
  return {
    ...({ walletId: wallet.id, chain: asset.chain, assetId: asset.id, amountRaw, kind: 'transfer', origin: 'chain' } as const),
    ...{ counterparty: '0x00000000000000000000000000000000000000FF', price: null, note: null },
  };
}
