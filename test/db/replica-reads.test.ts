import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ChangeFeed, createChangeFeed } from '../../src/db/change-feed.ts';
import { noteChange, SHARED_DATA_ID } from '../../src/db/data-version.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { createReplicaReads, type ReplicaReads } from '../../src/db/replica-reads.ts';
import { createWalletStore, type WalletStore } from '../../src/db/wallet-store.ts';
import { AppError } from '../../src/domain/errors.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type PostgresReplica, startPostgresReplica } from '../support/postgres-replica.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const TENANT = '00000000-0000-0000-0000-000000000001';
const PATIENCE = { timeout: 30_000, interval: 20 };
const log = { info: () => undefined, warn: () => undefined };

// A primary and a hot standby that streams from it, which is reached over a proxy.
let primary: PostgresCluster;
let replica: PostgresReplica;
let network: TcpProxy;
let writing: Database;
let wallets: WalletStore;
beforeAll(async () => {
  primary = await startPostgresCluster();
  writing = createDatabase({ url: primary.url, log });
  wallets = createWalletStore(writing.tenants);
  await noteChange(writing.db, SHARED_DATA_ID);
  replica = await startPostgresReplica(primary);
  network = await startTcpProxy(replica.url);
}, 120_000);
afterAll(async () => {
  await network.close();
  await writing.close();
  await replica.close();
  await primary.close();
});

type Reader = {
  readonly reads: ReplicaReads;
  readonly feed: ChangeFeed;
  /** The labels of the wallets, and where they were read. */
  list(): Promise<{ readonly from: 'replica' | 'primary'; readonly labels: readonly (string | null)[] }>;
};

async function open(): Promise<Reader> {
  const there = createDatabase({ url: network.url, log, queryTimeoutMs: 2_000 });
  const versions = createDatabase({ url: primary.url, log, queryTimeoutMs: 1_000 });
  const feed = createChangeFeed({ url: primary.url, db: versions.db, log });
  feed.start();
  onTestFinished(async () => {
    network.resume();
    await Promise.all([feed.close(), versions.close(), there.close()]);
  });
  await expect.poll(feed.isLive, PATIENCE).toBe(true);
  const reads = createReplicaReads({ replica: there.db, feed, log });
  const copies = createWalletStore(there.tenants);
  const from = (name: 'replica' | 'primary', store: WalletStore) => async () => ({
    from: name,
    labels: (await store.listAll(TENANT, { walletIds: null })).map(({ label }) => label),
  });
  const list = () => reads.read(TENANT, { onReplica: from('replica', copies), onPrimary: from('primary', wallets) });
  return { reads, feed, list };
}

let count = 0;
/** Adds a wallet of a new label, and gives the label. */
async function add(): Promise<string> {
  count += 1;
  const address = `0x${count.toString(16).padStart(40, '0')}`;
  const label = `wallet ${count}`;
  await wallets.addMany(TENANT, [{ family: 'evm', address, name: null, label, chains: ['ethereum'] }]);
  return label;
}

const untilFrom = (reader: Reader, name: string) => expect.poll(async () => (await reader.list()).from, PATIENCE).toBe(name);

describe('a replica', () => {
  it('is read once it has what is committed', async () => {
    const reader = await open();
    const label = await add();
    await untilFrom(reader, 'replica');
    expect((await reader.list()).labels).toContain(label);
    await expect(replica.query('insert into data_versions values (uuidv7(), 1)')).rejects.toThrow('read-only');
  });

  it('that lags behind what is known is passed by, so that no reader goes back in time', async () => {
    const reader = await open();
    await untilFrom(reader, 'replica');
    await replica.pauseReplay();
    onTestFinished(() => replica.resumeReplay().catch(() => undefined));
    const label = await add();
    reader.feed.forget(TENANT);
    for (let index = 0; index < 10; index++) {
      const { from, labels } = await reader.list();
      expect(from).toBe('primary');
      expect(labels).toContain(label);
    }
    await replica.resumeReplay();
    await untilFrom(reader, 'replica');
    expect((await reader.list()).labels).toContain(label);
  });

  it('is always up with the reader’s own writes, under load', async () => {
    const reader = await open();
    for (let index = 0; index < 50; index++) {
      const label = await add();
      reader.feed.forget(TENANT);
      expect((await reader.list()).labels).toContain(label);
    }
  });

  it('that hangs is waited for a moment, then not at all, and is read again when it answers', async () => {
    const reader = await open();
    await untilFrom(reader, 'replica');
    network.pause();
    expect((await reader.list()).from).toBe('primary');
    const startedAt = performance.now();
    for (let index = 0; index < 50; index++) expect((await reader.list()).from).toBe('primary');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    network.resume();
    await untilFrom(reader, 'replica');
  });

  it('that is gone is not waited for, and is read again when it is back', async () => {
    const reader = await open();
    await untilFrom(reader, 'replica');
    await replica.stop();
    for (let index = 0; index < 50; index++) expect((await reader.list()).from).toBe('primary');
    await replica.start();
    await untilFrom(reader, 'replica');
  });

  it('is read while the primary is gone', async () => {
    const reader = await open();
    await untilFrom(reader, 'replica');
    await primary.stopFast();
    onTestFinished(async () => void (await primary.start().catch(() => undefined)));
    for (let index = 0; index < 5; index++) expect((await reader.list()).from).toBe('replica');
    await primary.start();
    await add();
    await untilFrom(reader, 'replica');
  });
});

describe('a read that fails on the replica', () => {
  it('is made on the primary if the replica is at fault, and thrown if the request is', async () => {
    const { reads, list } = await open();
    await expect.poll(async () => (await list()).from, PATIENCE).toBe('replica');
    const fails = (error: unknown) => () => Promise.reject(error);
    const onPrimary = async () => 'primary';
    // What the standby says when a query stood in the way of what it had to replay.
    const conflict = Object.assign(new Error('canceling statement due to conflict with recovery'), { code: '40001' });
    expect(await reads.read(TENANT, { onReplica: fails(conflict), onPrimary })).toBe('primary');
    expect((await list()).from).toBe('replica');
    const mistake = new AppError('wallet_not_found', 'There is no such wallet.');
    await expect(reads.read(TENANT, { onReplica: fails(mistake), onPrimary })).rejects.toBe(mistake);
    const down = new AppError('database_unavailable', 'down');
    expect(await reads.read(TENANT, { onReplica: fails(down), onPrimary })).toBe('primary');
    expect((await list()).from).toBe('primary');
    await expect.poll(async () => (await list()).from, PATIENCE).toBe('replica');
  });
});
