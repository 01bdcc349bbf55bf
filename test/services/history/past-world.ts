import { sql } from 'kysely';
import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../../../src/adapters/solana/solana-address.ts';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createChangesStore } from '../../../src/db/history/changes-store.ts';
import { createHistoryStore } from '../../../src/db/history/history-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createLedgerStore } from '../../../src/db/ledger/ledger-store.ts';
import { createPriceStore } from '../../../src/db/price-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { Decimal, formatDecimal } from '../../../src/domain/decimal.ts';
import type { MissingSource } from '../../../src/domain/history/snapshot.ts';
import type { EntryType } from '../../../src/domain/ledger/ledger.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { type Changes, type ChangesQuery, createChangesService } from '../../../src/services/history/changes-service.ts';
import { createHistoryService } from '../../../src/services/history/history-service.ts';
import { createStatementService } from '../../../src/services/history/statement-service.ts';
import { addAsset, addWallet, amountOf, at, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase } from '../../support/test-database.ts';

/** A tenant with a past that a test writes, in a database of its own. Moments are seconds after a fixed one. */
export type PastWorld = Awaited<ReturnType<typeof createPastWorld>>;

export const EVERYTHING = { walletIds: null, chains: null, assetIds: null } as const;

export async function createPastWorld(now = at(10_000_000)) {
  const { db, tenants, close } = await createTestDatabase();
  const stores = {
    assets: createAssetStore(tenants),
    wallets: createWalletStore(tenants),
    changes: createChangesStore(tenants),
    history: createHistoryStore(tenants),
    ledger: createLedgerStore(tenants),
  };
  const prices = createPriceStore(tenants);
  const snapshots = createSnapshotStore(tenants);
  let references = 0;
  const deps = {
    ...stores,
    prices,
    chains,
    parseAddress: { evm: parseEvmAddress, solana: parseSolanaAddress },
    kept: { rawDays: 100_000, hourlyDays: 100_000 },
    portfolio: { findHeldBack: async (): Promise<ReadonlySet<string>> => new Set() },
    now: () => now,
  };
  const changes = createChangesService(deps);
  return {
    db,
    tenants,
    close,
    /** Forgets all that was written. */
    async reset(): Promise<void> {
      await sql`truncate wallets, holding_points, holding_series, snapshots, snapshot_hours, snapshot_days, history_thinning, exclusion_points, fx_points, fx_rates,
        asset_settings cascade`.execute(db);
    },
    statements: createStatementService(deps),
    changes,
    history: createHistoryService(deps),
    /** A wallet that is followed since a moment. */
    async follow(seconds: number): Promise<Wallet> {
      const wallet = await addWallet(db, TENANT);
      await sql`update wallets set created_at = ${at(seconds)} where id = ${wallet.id}`.execute(db);
      return wallet;
    },
    unfollow: async (wallet: Wallet) => stores.wallets.delete(TENANT, wallet.id),
    list: (overrides: { decimals?: number | null } = {}) => addAsset(db, { listed: true, decimals: 2, ...overrides }),
    async hold(wallet: Wallet, asset: Asset, seconds: number, amountRaw: bigint): Promise<void> {
      const block = { number: BigInt(100_000_000 + seconds), hash: null };
      await createBalanceStore(tenants).saveReadings(TENANT, [
        readingOf(wallet, seconds, [amountOf(asset, amountRaw)], { block }),
      ]);
    },
    async quote(asset: Asset, seconds: number, value: string): Promise<void> {
      const lastGood = { value: new Decimal(value), source: 'test', quotedAt: at(seconds) };
      await prices.savePrices(new Map([[asset.id, { lastGood, suspect: null, checkedAt: at(seconds), attempts: [] }]]));
    },
    rate: (currency: string, seconds: number, perUsd: string) =>
      prices.saveRates([{ currency, perUsd, source: 'test', quotedAt: at(seconds) }]),
    async record(wallet: Wallet, asset: Asset, seconds: number, kind: EntryType, amountRaw: bigint): Promise<void> {
      const place = { walletId: wallet.id, chain: asset.chain, assetId: asset.id, occurredAt: at(seconds) };
      const nothing = { counterparty: null, txHash: null, blockNumber: null, price: null, note: null };
      const entry = { ...place, ...nothing, kind, amountRaw, origin: 'manual', reference: `entry ${++references}` } as const;
      await stores.ledger.addMany(TENANT, [entry]);
    },
    say: (asset: Asset, patch: { spam?: 'spam' | 'not_spam' | null; manualPrice?: string | null }) =>
      stores.assets.updateSettings(TENANT, asset.id, patch),
    take: (seconds: number, { missing = [], excluded = [] }: { missing?: MissingSource[]; excluded?: Asset[] } = {}) =>
      snapshots.take(TENANT, {
        at: at(seconds),
        grade: missing.length === 0 ? 'full' : 'partial',
        missing,
        excludedAssetIds: excluded.map(({ id }) => id),
      }),
    /** Thins out all but the last snapshot of each hour. */
    thin: () => snapshots.thin({ rawDays: 1, hourlyDays: 3650 }, new AbortController().signal),
    explain: (from: number, to: number | null, query: Partial<ChangesQuery> = {}): Promise<Changes> =>
      changes.explain(TENANT, {
        ...EVERYTHING,
        from: at(from),
        to: to === null ? null : at(to),
        currency: 'USD',
        groupBy: 'asset',
        ...query,
      }),
  };
}

/** A source that a snapshot could not rely on. */
export function missingOf(wallet: Wallet, overrides: Partial<MissingSource> = {}): MissingSource {
  const failure = { reason: 'failed', observedAt: at(0), code: 'upstream_timeout' } as const;
  return { walletId: wallet.id, chain: 'ethereum', kind: 'balances', ...failure, ...overrides };
}

/** Start, end and what there is of parts, in digits; a promise that the parts add up is kept on the way. */
export function show({ start, end, total }: Changes): object {
  if (total === null) return { from: start.value?.toFixed() ?? null, to: end.value?.toFixed() ?? null };
  const sum = Decimal.sum(0, ...total.parts.values());
  if (!sum.eq(total.end.minus(total.start))) throw new Error('the parts do not add up');
  return {
    from: formatDecimal(total.start),
    to: formatDecimal(total.end),
    ...Object.fromEntries([...total.parts].flatMap(([part, value]) => (value.isZero() ? [] : [[part, formatDecimal(value)]]))),
  };
}
