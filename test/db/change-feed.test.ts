import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ChangeFeed, createChangeFeed, REFRESH_CHANNEL } from '../../src/db/change-feed.ts';
import { type DataVersion, noteChange, SHARED_DATA_ID } from '../../src/db/data-version.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const TENANT = '00000000-0000-0000-0000-000000000001';
const OTHER = '00000000-0000-0000-0000-000000000002';
const PATIENCE = { timeout: 20_000, interval: 10 };

// A server of its own: these tests freeze and break it.
let cluster: PostgresCluster;
let writer: Database;
beforeAll(async () => {
  cluster = await startPostgresCluster();
  writer = createDatabase({ url: cluster.url, log: { warn: () => undefined } });
  for (const tenantId of [TENANT, OTHER, SHARED_DATA_ID]) await change(tenantId);
});
afterAll(async () => {
  await writer.close();
  await cluster.close();
});

type Opened = { readonly feed: ChangeFeed; questions(): number; forgetQuestions(): void };

function open({ url = cluster.url, isStarted = true } = {}): Opened {
  let questions = 0;
  const log = { info: () => undefined, warn: () => undefined };
  const onQuery = () => {
    questions += 1;
  };
  const database = createDatabase({ url, log, queryTimeoutMs: 1_000, maxConnections: 2, onQuery });
  const feed = createChangeFeed({ url, db: database.db, log });
  if (isStarted) feed.start();
  onTestFinished(async () => {
    await feed.close();
    await database.close();
  });
  return {
    feed,
    questions: () => questions,
    forgetQuestions: () => {
      questions = 0;
    },
  };
}

async function openLive(): Promise<Opened> {
  const opened = open();
  await expect.poll(opened.feed.isLive, PATIENCE).toBe(true);
  return opened;
}

const change = (tenantId = TENANT): Promise<void> => noteChange(writer.db, tenantId);
const terminateListeners = () =>
  cluster.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chainfolio-feed'");

describe('while the database tells of changes', () => {
  it('knows the version without asking, and every change of it', async () => {
    const { feed, questions } = await openLive();
    const first = await feed.currentVersion(TENANT);
    for (let index = 0; index < 100; index++) expect(await feed.currentVersion(TENANT)).toEqual(first);
    expect(questions()).toBe(1);
    await change();
    await expect.poll(() => feed.currentVersion(TENANT), PATIENCE).toEqual({ ...first, own: first.own + 1n });
    await change(SHARED_DATA_ID);
    const both: DataVersion = { own: first.own + 1n, shared: first.shared + 1n };
    await expect.poll(() => feed.currentVersion(TENANT), PATIENCE).toEqual(both);
    await change(OTHER);
    await change();
    await expect.poll(() => feed.currentVersion(TENANT), PATIENCE).toEqual({ ...both, own: both.own + 1n });
    expect(questions()).toBe(1);
  });

  it('asks once for many who want to know at the same time', async () => {
    const { feed, questions } = await openLive();
    await Promise.all(Array.from({ length: 100 }, () => feed.currentVersion(OTHER)));
    expect(questions()).toBe(1);
  });

  it('shows a write of our own at once', async () => {
    const { feed } = await openLive();
    for (let index = 0; index < 50; index++) {
      const before = await feed.currentVersion(TENANT);
      await change();
      feed.forget(TENANT);
      expect((await feed.currentVersion(TENANT)).own).toBe(before.own + 1n);
    }
  });

  it('never falls behind what was committed, whatever comes together', async () => {
    const { feed } = await openLive();
    let isOver = false;
    const readers = Array.from({ length: 4 }, async () => {
      let last = 0n;
      while (!isOver) {
        if (Math.random() < 0.2) feed.forget(TENANT);
        const { own } = await feed.currentVersion(TENANT);
        last = own > last ? own : last;
        await new Promise(setImmediate);
      }
      return last;
    });
    for (let index = 0; index < 200; index++) await change();
    isOver = true;
    await Promise.all(readers);
    const { own } = await feed.askVersion(TENANT);
    await expect.poll(async () => (await feed.currentVersion(TENANT)).own, PATIENCE).toBe(own);
  });

  it('says when a refresh has ended, to whoever waits for that one', async () => {
    const { feed } = await openLive();
    const heard: string[] = [];
    const stop = feed.onRefreshEnded('one', () => heard.push('one'));
    feed.onRefreshEnded('two', () => heard.push('two'));
    await cluster.query('select pg_notify($1, $2)', [REFRESH_CHANNEL, 'one']);
    await expect.poll(() => heard, PATIENCE).toEqual(['one']);
    stop();
    await cluster.query('select pg_notify($1, $2)', [REFRESH_CHANNEL, 'one']);
    await cluster.query('select pg_notify($1, $2)', [REFRESH_CHANNEL, 'two']);
    await expect.poll(() => heard, PATIENCE).toEqual(['one', 'two']);
  });
});

describe('while it does not', () => {
  it('asks each time, and nothing is missed when the connection is lost', async () => {
    const { feed, questions } = open({ isStarted: false });
    const before = await feed.currentVersion(TENANT);
    await change();
    expect((await feed.currentVersion(TENANT)).own).toBe(before.own + 1n);
    expect(questions()).toBe(2);

    const { feed: live } = await openLive();
    let woken = 0;
    live.onRefreshEnded('any', () => {
      woken += 1;
    });
    await live.currentVersion(TENANT);
    await terminateListeners();
    await change();
    // Until the loss is noticed the old version may be told, never after it.
    await expect.poll(async () => (await live.currentVersion(TENANT)).own, PATIENCE).toBe(before.own + 2n);
    await expect.poll(live.isLive, PATIENCE).toBe(true);
    await expect.poll(() => woken, PATIENCE).toBe(1);
    await change();
    await expect.poll(async () => (await live.currentVersion(TENANT)).own, PATIENCE).toBe(before.own + 3n);
  });

  it('is not fooled by a connection over which nothing comes', async () => {
    const proxy = await startTcpProxy(cluster.url);
    onTestFinished(() => proxy.close());
    const { feed } = open({ url: proxy.url });
    await expect.poll(feed.isLive, PATIENCE).toBe(true);
    const before = await feed.currentVersion(TENANT);
    proxy.pause();
    await change();
    await expect.poll(feed.isLive, PATIENCE).toBe(false);
    proxy.resume();
    await expect.poll(() => feed.currentVersion(TENANT).catch(() => undefined), PATIENCE).toMatchObject({ own: before.own + 1n });
  });

  it('fault 28: frozen, says so soon, then at once, and tells again when it thaws', async () => {
    const { feed, questions, forgetQuestions } = open({ isStarted: false });
    await feed.currentVersion(TENANT);
    await cluster.freeze();
    onTestFinished(() => cluster.thaw());
    await expect(feed.currentVersion(TENANT)).rejects.toMatchObject({ code: 'database_unavailable' });
    forgetQuestions();
    const startedAt = performance.now();
    for (let index = 0; index < 1_000; index++) {
      await expect(feed.currentVersion(TENANT)).rejects.toMatchObject({ code: 'database_unavailable' });
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(questions()).toBeLessThan(10);
    cluster.thaw();
    await expect.poll(() => feed.currentVersion(TENANT).catch(() => undefined), PATIENCE).toBeDefined();
  });

  it('fault 29: restarted, it listens again', async () => {
    const { feed } = await openLive();
    await cluster.stopFast();
    await expect.poll(feed.isLive, PATIENCE).toBe(false);
    await expect(feed.currentVersion(TENANT)).rejects.toMatchObject({ code: 'database_unavailable' });
    await cluster.start();
    await expect.poll(feed.isLive, PATIENCE).toBe(true);
    await expect.poll(() => feed.currentVersion(TENANT).catch(() => undefined), PATIENCE).toBeDefined();
  });

  it('closes in time although the database hangs', async () => {
    const { feed } = await openLive();
    await cluster.freeze();
    onTestFinished(() => cluster.thaw());
    const startedAt = performance.now();
    await feed.close();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});
