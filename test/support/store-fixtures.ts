import type { Kysely } from 'kysely';
import { createAssetStore } from '../../src/db/asset-store.ts';
import type { Schema } from '../../src/db/schema.ts';
import type { TenantDb } from '../../src/db/tenant-db.ts';
import { createWalletStore, type NewWallet } from '../../src/db/wallet-store.ts';
import type { Asset, AssetInfo } from '../../src/domain/asset.ts';
import type { Reading, SourceError, SourceReading } from '../../src/domain/holding.ts';
import type { Wallet } from '../../src/domain/wallet.ts';

export const OTHER_TENANT_ID = '00000000-0000-0000-0000-000000000002';
export const UNKNOWN_ID = '0198b000-0000-7000-8000-00000000dead';
export const TIMEOUT: SourceError = { code: 'upstream_timeout', provider: 'rpc.example' };

/** A second tenant, for tests that nobody sees or changes another's rows. */
export async function addOtherTenant(db: Kysely<Schema>): Promise<void> {
  await db
    .withTables<{ tenants: { id: string; name: string } }>()
    .insertInto('tenants')
    .values({ id: OTHER_TENANT_ID, name: 'other' })
    .execute();
}

let count = 0;

/** An address that no other call gives. */
export function nextAddress(): string {
  return `0x${(++count).toString(16).padStart(40, '0')}`;
}

export function newWallet(overrides: Partial<NewWallet> = {}): NewWallet {
  return { family: 'evm', address: nextAddress(), name: null, label: null, chains: ['ethereum'], ...overrides };
}

export async function addWallet(db: Kysely<Schema>, tenantId: string, overrides: Partial<NewWallet> = {}): Promise<Wallet> {
  const [added] = await createWalletStore(seeingAll(db)).addMany(tenantId, [newWallet(overrides)]);
  if (added === undefined) throw new Error('the wallet was not added');
  return added.wallet;
}

export function newAsset(overrides: Partial<AssetInfo & { listed: boolean }> = {}): AssetInfo & { listed: boolean } {
  return {
    chain: 'ethereum',
    address: nextAddress(),
    standard: 'erc20',
    symbol: 'TKN',
    name: 'Token',
    decimals: 18,
    flags: [],
    listed: false,
    ...overrides,
  };
}

export const ETHER = newAsset({ address: null, standard: 'native', symbol: 'ETH', name: 'Ether', listed: true });

export async function addAsset(db: Kysely<Schema>, overrides: Partial<AssetInfo & { listed: boolean }> = {}): Promise<Asset> {
  const [asset] = await createAssetStore(seeingAll(db)).upsertMany([newAsset(overrides)]);
  if (asset === undefined) throw new Error('the asset was not added');
  return asset;
}

export function amountOf(asset: { chain: string; address: string | null }, amountRaw: bigint): Reading {
  return { status: 'ok', asset, amountRaw, frozenRaw: 0n, ui: null };
}

/** A moment, in seconds after a fixed one. */
export function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 10, 21, 12, 0, 0, 123) + seconds * 1000);
}

export function readingOf(
  wallet: Pick<Wallet, 'id'>,
  seconds: number,
  readings: readonly Reading[],
  overrides: Partial<Extract<SourceReading, { status: 'ok' }>> = {},
): SourceReading {
  return {
    walletId: wallet.id,
    chain: 'ethereum',
    kind: 'balances',
    status: 'ok',
    block: { number: BigInt(1000 + seconds), hash: `0x${seconds.toString(16)}` },
    observedAt: at(seconds),
    exhaustive: false,
    readings,
    ...overrides,
  };
}

export function failureOf(wallet: Pick<Wallet, 'id'>, seconds: number, error: SourceError = TIMEOUT): SourceReading {
  return { walletId: wallet.id, chain: 'ethereum', kind: 'balances', status: 'failed', attemptedAt: at(seconds), error };
}

/** For what a test lays out, whosever it is. */
export function seeingAll(db: Kysely<Schema>): TenantDb {
  return { of: () => db, all: db };
}

/** The same database with a count of the statements sent through it, without begin and commit. */
export function countStatements(tenants: TenantDb): { readonly db: TenantDb; count(): number } {
  let count = 0;
  const counting = (db: Kysely<Schema>): Kysely<Schema> =>
    db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        count++;
        return result;
      },
    });
  return { db: { of: (tenantId) => counting(tenants.of(tenantId)), all: counting(tenants.all) }, count: () => count };
}
