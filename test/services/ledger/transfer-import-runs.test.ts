import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferSource } from '../../../src/adapters/transfer-source.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { addOtherTenant, addWallet, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { forgetPast, type ImportStory, startImportStory } from './import-story.ts';
import { CHAIN, type ImportWorld, startImportWorld } from './import-world.ts';

const { signal } = new AbortController();

let world: ImportWorld;
let story: ImportStory;
let proxy: RpcProxy;
beforeAll(async () => {
  world = await startImportWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  proxy = await startRpcProxy(world.chain.rpcUrl);
  story = await startImportStory(world);
});
afterEach(async () => {
  await proxy.close();
  await story.end();
});

/** A source that waits at its first call until it is let go. */
function haltedSource(source: TransferSource): {
  readonly source: TransferSource;
  readonly reached: Promise<void>;
  letGo(): void;
} {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    letGo: () => gate.resolve(),
    source: {
      ...source,
      async readTransfers(queries, options) {
        const readings = await source.readTransfers(queries, options);
        reached.resolve();
        await gate.promise;
        return readings;
      },
    },
  };
}

describe('two workers', () => {
  it('do not read the same wallets', async () => {
    await story.live();
    const halted = haltedSource(world.createSource());
    const first = world.createService({ source: halted.source }).run(signal);
    await halted.reached;
    await world.createService().run(signal);
    expect(world.reports).toEqual([]);
    halted.letGo();
    await first;
    expect(world.reports).toMatchObject([{ outcome: 'ok' }]);
  });

  it('store everything once when one takes over what the other one still has in hand', async () => {
    await story.live();
    const halted = haltedSource(world.createSource());
    const first = world.createService({ source: halted.source }).run(signal);
    await halted.reached;
    await world.database.db
      .updateTable('transfer_imports')
      .set({ claimed_until: new Date(0) })
      .execute();
    await world.createService().run(signal);
    const stored = await story.entries();
    expect(stored.length).toBeGreaterThan(5);
    halted.letGo();
    await first;
    expect(await story.entries()).toEqual(stored);
    expect(world.reports).toMatchObject([{ outcome: 'ok' }]);
  });

  it('at the same time import everything once', async () => {
    await story.live();
    await Promise.all([world.createService().run(signal), world.createService().run(signal)]);
    const references = (await story.entries()).map(({ wallet_id: wallet, reference }) => `${wallet} ${reference}`);
    expect(new Set(references).size).toBe(references.length);
    expect(world.reports.reduce((sum, { added }) => sum + added, 0)).toBe(references.length);
  });
});

describe('two tenants', () => {
  it('that follow the same wallet have a ledger each', async () => {
    const { db } = world.database;
    await addOtherTenant(db);
    const theirs = await addWallet(db, OTHER_TENANT_ID, { address: story.alice.address, chains: [CHAIN.slug] });
    const [balances] = await db.selectFrom('sources').selectAll().where('wallet_id', '=', story.alice.id).execute();
    if (balances === undefined) throw new Error('the wallet was not read');
    await db
      .insertInto('sources')
      .values({ ...balances, tenant_id: OTHER_TENANT_ID, wallet_id: theirs.id })
      .execute();
    await story.live();
    await world.createService().run(signal);
    const all = await story.entries();
    const of = (walletId: string) =>
      all.filter(({ wallet_id: id }) => id === walletId).map(({ tenant_id: tenant, reference }) => ({ tenant, reference }));
    expect(of(theirs.id).length).toBeGreaterThan(4);
    expect(of(theirs.id).map(({ reference }) => reference)).toEqual(of(story.alice.id).map(({ reference }) => reference));
    expect(new Set(of(theirs.id).map(({ tenant }) => tenant))).toEqual(new Set([OTHER_TENANT_ID]));
    await createWalletStore(world.database.tenants).delete(OTHER_TENANT_ID, theirs.id);
  });
});

describe('a run that ends in the middle', () => {
  it('keeps what it stored, gives the rest back, and the next one goes on', async () => {
    await story.live();
    await world.finalize();
    const stop = new AbortController();
    // Three blocks at a time, and after two stretches the process is told to stop.
    let stretches = 0;
    proxy.intercept = ({ method, params }) => {
      if (method !== 'eth_getLogs') return undefined;
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      if (BigInt(toBlock) - BigInt(fromBlock) > 2n)
        return { error: { code: -32614, message: 'eth_getLogs is limited to a 3 range' } };
      stretches += 1;
      if (stretches === 45) stop.abort(new AppError('shutting_down', 'The service is stopping.'));
      return undefined;
    };
    const service = world.createService({ urls: [proxy.url] });
    await service.run(stop.signal);
    const [half] = await story.states();
    expect(half).toMatchObject({ outcome: 'ok', claim_id: null, cursor: expect.any(String) });
    const storedHalf = await story.entries();
    proxy.intercept = () => undefined;
    await service.run(signal);
    expect(await story.states()).toMatchObject([{ cursor: null }, { cursor: null }]);
    const all = await story.entries();
    expect(all).toEqual(expect.arrayContaining([...storedHalf]));
    const [first, last] = [story.before, await world.observe([story.alice, story.bob])];
    expect((await world.sumBetween(first, last)).filter(({ type }) => type === 'unexplained')).toEqual([]);
  });

  it('for a wallet that is deleted meanwhile stores nothing of it', async () => {
    await story.live();
    const halted = haltedSource(world.createSource());
    const run = world.createService({ source: halted.source }).run(signal);
    await halted.reached;
    await createWalletStore(world.database.tenants).delete(DEFAULT_TENANT_ID, story.alice.id);
    halted.letGo();
    await run;
    expect(new Set((await story.entries()).map(({ wallet_id: id }) => id))).toEqual(new Set([story.bob.id]));
  });
});

describe('a past that was asked for later', () => {
  /** As a backfill leaves it: what was held at a block of story.before, and that it is done. */
  async function fillBack(walletId: string, block: bigint): Promise<void> {
    const { db } = world.database;
    await sql`
      insert into backfills (tenant_id, wallet_id, status, from_day, days_total)
      values (${DEFAULT_TENANT_ID}, ${walletId}, 'finished', now(), 1)`.execute(db);
    await sql`
      insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw, block_number)
      select distinct on (asset_id) tenant_id, wallet_id, asset_id, position, at - interval '1 millisecond', 1, ${block.toString()}::bigint
      from holding_points where wallet_id = ${walletId} order by asset_id, at`.execute(db);
  }

  it('is imported too, and what is known begins there', async () => {
    const from = await world.blockNumber();
    await story.live();
    await createWalletStore(world.database.tenants).delete(DEFAULT_TENANT_ID, story.alice.id);
    await forgetPast(world.database.db);
    const again = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: story.alice.address, chains: [CHAIN.slug] });
    await world.observe([again]);
    await world.finalize();
    // One block at a time, so that it takes many calls.
    proxy.intercept = ({ method, params }) => {
      const { fromBlock, toBlock } = Object(params[0]);
      return method === 'eth_getLogs' && fromBlock !== toBlock
        ? { error: { code: -32614, message: 'limited to a 1 range' } }
        : undefined;
    };
    const service = world.createService({ urls: [proxy.url] });
    await service.run(signal);
    const ownEntries = async () => (await story.entries()).filter(({ wallet_id: id }) => id === again.id);
    expect(await ownEntries()).toEqual([]);
    await fillBack(again.id, from);
    await service.run(signal);
    expect((await ownEntries()).map(({ amount_raw: amount }) => amount)).toEqual(
      expect.arrayContaining(['500', '-120', '-30', '7']),
    );
    const own = (await story.states()).find(({ wallet_id: id }) => id === again.id);
    expect(own).toMatchObject({ from_block: String(from + 1n), past_through_block: null, claim_id: null, outcome: 'ok' });
    const found = world.reports.length;
    await service.run(signal);
    // The past is not read again.
    expect(world.reports.length).toBe(found + 1);
  });

  it('that cannot be read waits for the next run, and what happens now does not wait for it', async () => {
    const service = world.createService({ urls: [proxy.url] });
    await story.live();
    await service.run(signal);
    await fillBack(story.alice.id, 1n);
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getLogs' && Object(params[0]).fromBlock === '0x2'
        ? { error: { code: -32603, message: 'Internal error' } }
        : undefined;
    await world.finalize();
    await service.run(signal);
    expect(world.reports.slice(-2)).toMatchObject([{ outcome: 'ok' }, { outcome: 'upstream_rpc_error', added: 0 }]);
    proxy.intercept = () => undefined;
    await service.run(signal);
    expect((await story.states()).find(({ wallet_id: id }) => id === story.alice.id)).toMatchObject({ from_block: '2' });
  });
});
