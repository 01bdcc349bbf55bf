import { createEvmBalanceSource } from '../../../src/adapters/evm/evm-balance-source.ts';
import { createEvmTransferSource } from '../../../src/adapters/evm/transfers/evm-transfer-source.ts';
import type { TransferSource } from '../../../src/adapters/transfer-source.ts';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createLedgerStore, type LedgerSum } from '../../../src/db/ledger/ledger-store.ts';
import { createTransferImportStore } from '../../../src/db/ledger/transfer-import-store.ts';
import { createTransferPastStore } from '../../../src/db/ledger/transfer-past-store.ts';
import type { EvmChain } from '../../../src/domain/chain.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { refreshChain } from '../../../src/services/chain-refresh.ts';
import { createTransferImportService, type TransferImportService } from '../../../src/services/ledger/transfer-import-service.ts';
import { createPool, LOCAL_CHAIN } from '../../adapters/evm/evm-setup.ts';
import { startTransferWorld, type TransferWorld } from '../../adapters/evm/transfers/transfer-world.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

export const CHAIN: EvmChain = { ...LOCAL_CHAIN, finality: { tag: 'finalized', blockTimeMs: 1_000 } };

export type Report = { readonly chain: string; readonly outcome: string; readonly added: number };

/** A database and a chain, and what brings the one up to date with the other. */
export type ImportWorld = TransferWorld & {
  readonly database: TestDatabase;
  /** What was imported so far, oldest first. */
  readonly reports: Report[];
  /** What was logged. */
  readonly lines: string[];
  /** A service of a process of its own. */
  createService(options?: { readonly urls?: readonly string[]; readonly source?: TransferSource }): TransferImportService;
  createSource(urls?: readonly string[]): TransferSource;
  /** Reads what the wallets hold now and writes a snapshot down. */
  observe(wallets: readonly Wallet[]): Promise<Date>;
  /** All that moved between two snapshots. */
  sumBetween(from: Date, to: Date): Promise<readonly LedgerSum[]>;
};

const PRICES = { refreshPrices: async () => undefined } as unknown as Parameters<typeof refreshChain>[0]['prices'];

export async function startImportWorld(): Promise<ImportWorld> {
  const [world, database] = await Promise.all([startTransferWorld(), createTestDatabase()]);
  const { tenants } = database;
  const { signal } = new AbortController();
  const assets = createAssetStore(tenants);
  const listedTokens = () => [world.token, world.otherToken].map((address) => ({ address, symbol: 'TKN', name: 'Token' }));
  const balanceSource = createEvmBalanceSource({ chain: CHAIN, pool: createPool([world.chain.rpcUrl]) });
  const reports: Report[] = [];
  const lines: string[] = [];
  const created: ImportWorld = {
    ...world,
    database,
    reports,
    lines,
    createSource: (urls = [world.chain.rpcUrl]) => createEvmTransferSource({ chain: CHAIN, pool: createPool(urls) }),
    createService: ({ urls, source } = {}) =>
      createTransferImportService({
        assets,
        imports: createTransferImportStore(tenants),
        pasts: createTransferPastStore(tenants),
        listedTokens,
        chains: [CHAIN],
        sources: new Map([[CHAIN.slug, balanceSource]]),
        transferSources: new Map([[CHAIN.slug, source ?? created.createSource(urls)]]),
        everySeconds: 0,
        log: { info: (_, message) => void lines.push(message), warn: (_, message) => void lines.push(message) },
        onImport: (report) => void reports.push(report),
      }),
    async observe(wallets) {
      const deps = { assets, balances: createBalanceStore(tenants), prices: PRICES, listedTokens };
      const refresh = { tenantId: DEFAULT_TENANT_ID, chain: CHAIN, source: balanceSource, wallets, signal };
      await refreshChain(deps, refresh, async () => undefined);
      const at = new Date();
      await createSnapshotStore(tenants).take(DEFAULT_TENANT_ID, { at, grade: 'full', missing: [], excludedAssetIds: [] });
      return at;
    },
    sumBetween: (from, to) =>
      createLedgerStore(tenants).sumBetween(DEFAULT_TENANT_ID, {
        walletIds: null,
        chains: null,
        assetIds: null,
        intervals: [{ from, to }],
      }),
    async close() {
      await Promise.all([world.close(), database.close()]);
    },
  };
  return created;
}
