import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../../localnet/fault-server.ts';
import { createEvmBalanceSource } from '../../../src/adapters/evm/evm-balance-source.ts';
import { createArchiveBalanceSource } from '../../../src/adapters/evm/past/archive-balance-source.ts';
import { createBlockFinder } from '../../../src/adapters/evm/past/archive-blocks.ts';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createHealingStore } from '../../../src/db/history/healing-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import type { MissingSource } from '../../../src/domain/history/snapshot.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { createHealingService, type HealingService } from '../../../src/services/past/healing-service.ts';
import { createPastReader } from '../../../src/services/past/past-reader.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from '../../adapters/evm/evm-setup.ts';
import { addAsset, addWallet, amountOf, failureOf, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const HOUR_MS = 3_600_000;
const GENESIS = new Date('2026-10-01T00:00:00Z');
const ALICE = walletAddress(7);
const CHAIN = LOCAL_CHAIN.slug;
const signal = new AbortController().signal;
/** Tokens from this hour on. The endpoint is away from the fourth to the sixth hour. */
const HELD: ReadonlyMap<number, bigint> = new Map([
  [1, 10n],
  [3, 25n],
  [5, 0n],
  [6, 40n],
  [7, 41n],
]);

let chain: LocalChain;
let endpoint: FaultServer;
let database: TestDatabase;
let wallet: Wallet;
let token: Asset;
let clock = new Date(GENESIS.getTime() + 100 * HOUR_MS);

const hour = (count: number): Date => new Date(GENESIS.getTime() + count * HOUR_MS);
/** Half past the hour. */
const moment = (count: number): Date => hour(count + 0.5);

function amountAt(count: number): bigint {
  return [...HELD].reduce((held, [from, amount]) => (from <= count ? amount : held), 0n);
}

/** The snapshots of nine hours, of which three lack the chain. */
async function follow(): Promise<void> {
  const seconds = 0;
  for (let count = 1; count <= 8; count += 1) {
    const isAway = count >= 4 && count <= 6;
    const attemptedAt = new Date(moment(count).getTime() - 1000);
    const good = readingOf(wallet, seconds, [amountOf(token, amountAt(count))], {
      chain: CHAIN,
      observedAt: attemptedAt,
      block: { number: BigInt(count), hash: null },
    });
    const reading = isAway ? { ...failureOf(wallet, seconds), chain: CHAIN, attemptedAt } : good;
    await createBalanceStore(database.tenants).saveReadings(TENANT, [reading]);
    const source = { walletId: wallet.id, chain: CHAIN, kind: 'balances' } as const;
    const missing: MissingSource[] = isAway
      ? [{ ...source, reason: 'stale', observedAt: moment(3), code: 'upstream_timeout' }]
      : [];
    const grade = isAway ? 'partial' : 'full';
    await createSnapshotStore(database.tenants).take(TENANT, { at: moment(count), grade, missing, excludedAssetIds: [] });
  }
}

function createService(url: string): HealingService {
  const pool = createPool([url]);
  const blocks = createBlockFinder({ chain: LOCAL_CHAIN, pool });
  const { tenants } = database;
  const healing = createHealingStore(tenants);
  const past = createPastReader({
    chains: [LOCAL_CHAIN],
    sources: new Map([[CHAIN, createEvmBalanceSource({ chain: LOCAL_CHAIN, pool })]]),
    pasts: new Map([[CHAIN, createArchiveBalanceSource({ chain: LOCAL_CHAIN, pool, blocks })]]),
    assets: createAssetStore(tenants),
    balances: createBalanceStore(tenants),
    healing,
    listedTokens: () => [],
  });
  return createHealingService({
    healing,
    past,
    wallets: createWalletStore(tenants),
    now: () => clock,
    log: { info: () => undefined },
  });
}

/** What the hours tell: the amount, and the grade with what is said of the gap. */
async function tell(): Promise<readonly string[]> {
  const { rows } = await sql<{ amount_raw: string | null; grade: string; codes: string | null; is_healed: boolean }>`
    select a.amount_raw, s.grade, s.missing->0->>'code' as codes, s.healed_at is not null as is_healed
    from snapshot_hours s left join asset_hours a on a.tenant_id = s.tenant_id and a.bucket = s.bucket and a.asset_id = ${token.id}
    order by s.bucket`.execute(database.db);
  return rows.map((row) => [row.amount_raw, row.grade, row.codes, row.is_healed ? 'healed' : null].filter(Boolean).join(' '));
}

async function versionNow(): Promise<unknown> {
  return (await sql`select * from data_versions order by tenant_id`.execute(database.db)).rows;
}

beforeAll(async () => {
  [chain, database] = await Promise.all([
    startLocalChain({ chainId: LOCAL_CHAIN.chainId, genesisAt: GENESIS }),
    createTestDatabase(),
  ]);
  endpoint = await startFaultServer({ upstreamUrl: chain.rpcUrl });
  const address = await chain.deploy('Token', ['string', 'string', 'uint8'], ['Token', 'TKN', 0]);
  for (let count = 1; count <= 9; count += 1) {
    await chain.mineAt(hour(count));
    const amount = HELD.get(count);
    if (amount !== undefined) await chain.setBalance(address, ALICE, amount);
  }
  wallet = await addWallet(database.db, TENANT, { address: ALICE, chains: [CHAIN] });
  await sql`update wallets set created_at = ${GENESIS}`.execute(database.db);
  token = await addAsset(database.db, { chain: CHAIN, address, decimals: 0 });
  await follow();
}, 60_000);
afterAll(async () => {
  await Promise.all([chain.stop(), endpoint.close(), database.close()]);
});

const GAP = ['25 partial upstream_timeout', '25 partial upstream_timeout', '25 partial upstream_timeout'];

it('carries amounts forward while the endpoint keeps no past, and says so', async () => {
  expect(await tell()).toEqual(['10 full', '10 full', '25 full', ...GAP, '41 full', '41 full']);
  endpoint.setMode('no-past');
  const service = createService(endpoint.url());
  expect(await service.heal(signal)).toBe(0);
  const told = GAP.map(() => '25 partial upstream_no_history');
  expect(await tell()).toEqual(['10 full', '10 full', '25 full', ...told, '41 full', '41 full']);
  // It is left alone for a while.
  const before = [endpoint.requests(), await versionNow()];
  expect(await service.heal(signal)).toBe(0);
  expect([endpoint.requests(), await versionNow()]).toEqual(before);
});

it('leaves a gap as it is while the endpoint cannot be reached, and comes back to it', async () => {
  const told = await tell();
  endpoint.setMode('reset');
  const service = createService(endpoint.url());
  expect(await service.heal(signal)).toBe(0);
  expect(await tell()).toEqual(told);
  endpoint.setMode('no-past');
  clock = new Date(clock.getTime() + HOUR_MS);
  expect(await service.heal(signal)).toBe(0);
});

it('fills the gap to the last digit, at the very blocks, once an endpoint keeps the past', async () => {
  endpoint.setMode('ok');
  // What was tried a moment ago is left alone.
  clock = new Date(clock.getTime() + HOUR_MS);
  expect(await createService(endpoint.url()).heal(signal)).toBe(3);
  expect(await tell()).toEqual([
    '10 full',
    '10 full',
    '25 full',
    '25 full healed',
    '0 full healed',
    '40 full healed',
    '41 full',
    '41 full',
  ]);
  const { rows } = await sql<{ at: Date; number: string; hash: string }>`
    select at, block_number as number, block_hash as hash from holding_points
    where asset_id = ${token.id} and block_hash is not null order by at`.execute(database.db);
  expect(rows.map(({ at }) => at)).toEqual([moment(5), moment(6)]);
  for (const { at, number, hash } of rows) {
    const block = await chain.rpc('eth_getBlockByNumber', [`0x${BigInt(number).toString(16)}`, false]);
    const next = await chain.rpc('eth_getBlockByNumber', [`0x${(BigInt(number) + 1n).toString(16)}`, false]);
    expect(block).toMatchObject({ hash });
    const madeAt = [block, next].map((one) => (one instanceof Object && 'timestamp' in one ? Number(one.timestamp) * 1000 : 0));
    expect(madeAt[0]).toBeLessThanOrEqual(at.getTime());
    expect(madeAt[1]).toBeGreaterThan(at.getTime());
  }
});

it('changes nothing when it is run again, by this process or another one', async () => {
  const before = [await tell(), await versionNow()];
  const services = [createService(endpoint.url()), createService(endpoint.url())];
  expect(await Promise.all(services.map((service) => service.heal(signal)))).toEqual([0, 0]);
  expect([await tell(), await versionNow()]).toEqual(before);
});
