import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createEventStore, type EventStore } from '../../../src/db/events/event-store.ts';
import { createSourceWatchStore } from '../../../src/db/events/source-watch-store.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createRefreshStore } from '../../../src/db/refresh-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import type { Asset } from '../../../src/domain/asset.ts';
import type { RefreshSource } from '../../../src/domain/refresh.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import {
  addAsset,
  addOtherTenant,
  addWallet,
  amountOf,
  at,
  ETHER,
  failureOf,
  newWallet,
  OTHER_TENANT_ID as OTHER,
  readingOf,
  TIMEOUT,
} from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import type { Body } from '../../support/test-stack.ts';

const BASE_SECONDS = 300;

let database: TestDatabase;
let events: EventStore;
let ether: Asset;
let dai: Asset;
beforeAll(async () => {
  database = await createTestDatabase();
  events = createEventStore(database.tenants);
  await addOtherTenant(database.db);
  ether = await addAsset(database.db, ETHER);
  dai = await addAsset(database.db, { symbol: 'DAI', listed: true });
});
afterAll(() => database.close());

/** What was told while `work` was done: types and data. */
async function toldBy(work: () => Promise<unknown>, tenantId = TENANT): Promise<readonly Body[]> {
  const before = await events.getLastSeq(tenantId);
  await work();
  const told = await events.listAfter(tenantId, before, 1_000);
  return told.map(({ type, data }) => ({ type, data }));
}

describe('wallets', () => {
  it('are told of when they are added and taken away, once', async () => {
    const wallets = createWalletStore(database.tenants);
    const input = newWallet({ label: 'cold', chains: ['ethereum', 'base'] });
    let wallet: Wallet | undefined;
    const [added, ...others] = await toldBy(async () => {
      wallet = (await wallets.addMany(TENANT, [input, input]))[0]?.wallet;
      await wallets.addMany(TENANT, [input]);
    });
    expect(others).toEqual([]);
    const { address, label, chains, family } = input;
    expect(added).toEqual({
      type: 'wallet.added',
      data: { wallet_id: wallet?.id, family, address, name: null, label, chains },
    });
    const told = await toldBy(async () => {
      await wallets.delete(TENANT, wallet?.id ?? '');
      await wallets.delete(TENANT, wallet?.id ?? '');
    });
    expect(told).toEqual([{ type: 'wallet.removed', data: { wallet_id: wallet?.id, family, address } }]);
  });
});

describe('balances', () => {
  const save = (...readings: Parameters<ReturnType<typeof createBalanceStore>['saveReadings']>[1]) =>
    createBalanceStore(database.tenants).saveReadings(TENANT, readings);

  it('that are read for the first time are counted, and changes told to the last digit from then on', async () => {
    const wallet = await addWallet(database.db, TENANT);
    const huge = 2n ** 256n - 1n;
    const first = await toldBy(() => save(readingOf(wallet, 0, [amountOf(ether, 5n), amountOf(dai, huge)])));
    expect(first).toEqual([
      {
        type: 'wallet.balance_changed',
        data: {
          wallet_id: wallet.id,
          chain: 'ethereum',
          observed_at: at(0).toISOString(),
          block_number: '1000',
          first_seen_count: 2,
          change_count: 0,
          changes: [],
        },
      },
    ]);
    expect(await toldBy(() => save(readingOf(wallet, 1, [amountOf(ether, 5n), amountOf(dai, huge)])))).toEqual([]);
    // One that comes late says nothing of now.
    expect(await toldBy(() => save(readingOf(wallet, 0, [amountOf(ether, 1n)])))).toEqual([]);
    const [changed] = await toldBy(() => save(readingOf(wallet, 2, [amountOf(ether, 6n), amountOf(dai, huge - 1n)])));
    expect(changed.data).toMatchObject({ first_seen_count: 0, change_count: 2, block_number: '1002' });
    expect(changed.data.changes.toSorted((a: Body, b: Body) => (a.token_symbol < b.token_symbol ? -1 : 1))).toEqual([
      {
        asset_uuid: dai.id,
        asset_id: `eip155:1/erc20:${dai.address}`,
        token_address: dai.address,
        token_symbol: 'DAI',
        decimals: 18,
        position: 'wallet',
        before_raw: huge.toString(),
        after_raw: (huge - 1n).toString(),
      },
      expect.objectContaining({ asset_id: 'eip155:1/slip44:60', before_raw: '5', after_raw: '6' }),
    ]);
  });

  it('are told as gone where they are, and not where they only could not be read', async () => {
    const wallet = await addWallet(database.db, TENANT);
    await save(readingOf(wallet, 0, [amountOf(ether, 5n), amountOf(dai, 7n)]));
    expect(await toldBy(() => save(failureOf(wallet, 1)))).toEqual([]);
    const failed = { status: 'failed', asset: dai, error: TIMEOUT } as const;
    expect(await toldBy(() => save(readingOf(wallet, 2, [amountOf(ether, 5n), failed])))).toEqual([]);
    const [gone] = await toldBy(() => save(readingOf(wallet, 3, [amountOf(ether, 5n)], { exhaustive: true })));
    expect(gone.data.changes).toEqual([expect.objectContaining({ token_symbol: 'DAI', before_raw: '7', after_raw: '0' })]);
    const [back] = await toldBy(() => save(readingOf(wallet, 4, [amountOf(dai, 1n)])));
    expect(back.data.changes).toEqual([expect.objectContaining({ before_raw: '0', after_raw: '1' })]);
    const [zero] = await toldBy(() => save(readingOf(wallet, 5, [amountOf(dai, 0n)])));
    expect(zero.data.changes).toEqual([expect.objectContaining({ before_raw: '1', after_raw: '0' })]);
  });

  it('of an empty wallet are nothing to tell', async () => {
    const wallet = await addWallet(database.db, TENANT);
    expect(await toldBy(() => save(readingOf(wallet, 0, [amountOf(ether, 0n)])))).toEqual([]);
  });
});

describe('refreshes', () => {
  const lease = { runnerId: '0198b000-0000-7000-8000-00000000beef', leaseSeconds: 30 };

  async function run(outcomes: readonly RefreshSource['status'][], deadlineMs = 60_000): Promise<readonly Body[]> {
    const refreshes = createRefreshStore(database.tenants);
    const wallets = await Promise.all(outcomes.map(() => addWallet(database.db, TENANT)));
    const sources = wallets.map(
      ({ id }) => ({ walletId: id, chain: 'ethereum', kind: 'balances', status: 'pending', error: null }) as const,
    );
    return toldBy(async () => {
      const { refresh } = await refreshes.startOrJoin(TENANT, {
        scope: { walletIds: null, chains: null },
        sources,
        deadlineAt: new Date(Date.now() + deadlineMs),
        lease: deadlineMs < 0 ? { ...lease, leaseSeconds: 0 } : lease,
      });
      await refreshes.updateSources(
        TENANT,
        refresh.id,
        sources.map((source, index) => ({
          ...source,
          status: outcomes[index] ?? 'pending',
          error: outcomes[index] === 'failed' ? TIMEOUT : null,
        })),
      );
      if (deadlineMs < 0) await Promise.all([1, 2, 3].map(() => refreshes.takeOver(lease, 10)));
      await refreshes.finish(TENANT, refresh.id, lease);
      await refreshes.finish(TENANT, refresh.id, lease);
    });
  }

  it('are told of when they end, with what failed', async () => {
    expect(await run(['ok', 'unsupported'])).toEqual([
      {
        type: 'refresh.finished',
        data: expect.objectContaining({
          status: 'finished',
          source_counts: { ok: 1, failed: 0, unsupported: 1, pending: 0 },
          failed_sources: [],
        }),
      },
    ]);
    const [failed, ...others] = await run(['ok', 'failed']);
    expect(others).toEqual([]);
    expect(failed).toMatchObject({
      type: 'refresh.failed',
      data: {
        source_counts: { ok: 1, failed: 1 },
        failed_sources: [{ chain: 'ethereum', kind: 'balances', error: { code: 'upstream_timeout', provider: 'rpc.example' } }],
      },
    });
  });

  it('that nobody ended in time failed, which is told once whoever notices', async () => {
    const [told, ...others] = await run(['ok', 'pending'], -1_000);
    expect(others).toEqual([]);
    expect(told).toMatchObject({
      type: 'refresh.failed',
      data: { status: 'interrupted', source_counts: { ok: 1, pending: 1 }, failed_sources: [{ error: null }] },
    });
  });
});

describe('sources', () => {
  const watch = async (): Promise<void> => {
    const store = createSourceWatchStore(database.tenants);
    // As in two workers.
    await Promise.all(
      [1, 2].map(async () => {
        for (const tenantId of await store.listCrossed(BASE_SECONDS)) await store.recordCrossed(tenantId, BASE_SECONDS);
      }),
    );
  };

  it('that are stale are told of once, and once when they are back', async () => {
    const balances = createBalanceStore(database.tenants);
    await toldBy(watch, OTHER);
    const wallets = await Promise.all([1, 2].map(() => addWallet(database.db, OTHER)));
    const read = (secondsAgo: number) =>
      balances.saveReadings(
        OTHER,
        wallets.map((wallet) =>
          readingOf(wallet, 0, [amountOf(ether, 1n)], { observedAt: new Date(Date.now() - secondsAgo * 1000) }),
        ),
      );
    await read(BASE_SECONDS * 3 - 60);
    expect(await toldBy(watch, OTHER)).toEqual([]);
    await database.db
      .updateTable('sources')
      .set({ observed_at: new Date(Date.now() - 901_000) })
      .where('tenant_id', '=', OTHER)
      .execute();
    const [stale, ...others] = await toldBy(watch, OTHER);
    expect(others).toEqual([]);
    expect(stale).toMatchObject({ type: 'source.stale', data: { chain: 'ethereum', kind: 'balances', wallet_count: 2 } });
    expect(stale.data.wallets.map(({ wallet_id }: Body) => wallet_id).sort()).toEqual(wallets.map(({ id }) => id).sort());
    expect(await toldBy(watch, OTHER)).toEqual([]);
    await read(0);
    const [recovered, ...more] = await toldBy(watch, OTHER);
    expect(more).toEqual([]);
    expect(recovered).toMatchObject({ type: 'source.recovered', data: { chain: 'ethereum', wallet_count: 2 } });
    expect(await toldBy(watch, OTHER)).toEqual([]);
  });
});

describe('snapshots', () => {
  const HOUR = 3_600;
  const SNAPSHOT = { grade: 'full', missing: [], excludedAssetIds: [] } as const;
  const missed = () => Promise.all([1, 2].map(() => createSnapshotStore(database.tenants).recordMissed(HOUR)));

  it('are told of when they are taken', async () => {
    const moment = new Date();
    const told = await toldBy(async () => {
      await createSnapshotStore(database.tenants).take(TENANT, { at: moment, ...SNAPSHOT });
      await createSnapshotStore(database.tenants).take(TENANT, { at: moment, ...SNAPSHOT });
    });
    expect(told).toEqual([{ type: 'snapshot.taken', data: { at: moment.toISOString(), grade: 'full', missing_count: 0 } }]);
  });

  it('that were missed are told of once, when there was something to write down', async () => {
    expect(await toldBy(missed)).toEqual([]);
    const slot = Math.floor(Date.now() / (HOUR * 1000));
    const startOf = (number: number) => new Date(number * HOUR * 1000);
    const takenAt = new Date(startOf(slot - 4).getTime() + 60_000);
    await database.db.updateTable('snapshots').set({ taken_at: takenAt }).where('tenant_id', '=', TENANT).execute();
    // All wallets are newer than that.
    expect(await toldBy(missed)).toEqual([]);
    await age(takenAt);
    expect(await toldBy(missed)).toEqual([
      {
        type: 'snapshot.missed',
        data: {
          from: startOf(slot - 3).toISOString(),
          until: startOf(slot).toISOString(),
          missed_count: 3,
          last_snapshot_at: takenAt.toISOString(),
        },
      },
    ]);
    expect(await toldBy(missed)).toEqual([]);
  });

  async function age(moment: Date): Promise<void> {
    await sql`update wallets set created_at = ${new Date(moment.getTime() - 1000)} where tenant_id = ${TENANT}`.execute(
      database.db,
    );
  }
});
