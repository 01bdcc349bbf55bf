import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TransferSource } from '../../../src/adapters/transfer-source.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { addWallet } from '../../support/store-fixtures.ts';
import { CHAIN, type ImportWorld, startImportWorld } from './import-world.ts';

const { signal } = new AbortController();
const ETHER = 10n ** 18n;

let world: ImportWorld;
let proxy: RpcProxy;
let alice: Wallet;
let bob: Wallet;
let outsider: string;
let before: Date;

beforeAll(async () => {
  world = await startImportWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  proxy = await startRpcProxy(world.chain.rpcUrl);
  const [, first = '', second = '', third = ''] = world.accounts;
  outsider = third;
  alice = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: first, chains: [CHAIN.slug] });
  bob = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: second, chains: [CHAIN.slug] });
  before = await world.observe([alice, bob]);
  world.reports.length = 0;
});
afterEach(async () => {
  await proxy.close();
  for (const { id } of [alice, bob]) await createWalletStore(world.database.db).delete(DEFAULT_TENANT_ID, id);
});

/** A deposit, a withdrawal, a payment between the two, and coins both ways. */
async function live(): Promise<Date> {
  await world.transfer(world.token, { from: outsider, to: alice.address, amount: 500n });
  await world.transfer(world.token, { from: alice.address, to: outsider, amount: 120n });
  await world.transfer(world.otherToken, { from: alice.address, to: bob.address, amount: 30n });
  await world.send(outsider, { to: bob.address, value: ETHER });
  await world.send(bob.address, { to: alice.address, value: 7n });
  await world.finalize();
  return world.observe([alice, bob]);
}

async function entries() {
  return world.database.db.selectFrom('ledger_entries').selectAll().orderBy('occurred_at').orderBy('reference').execute();
}

async function states() {
  return world.database.db.selectFrom('transfer_imports').selectAll().orderBy('wallet_id').execute();
}

function sumOf(sums: Awaited<ReturnType<ImportWorld['sumBetween']>>, type: string): bigint {
  return sums.filter((sum) => sum.type === type).reduce((total, { amountRaw }) => total + amountRaw, 0n);
}

describe('an import', () => {
  it('explains all that changed since the first snapshot, down to the fees', async () => {
    const service = world.createService();
    await service.run(signal);
    const after = await live();
    await service.run(signal);
    const sums = await world.sumBetween(before, after);
    expect(sums.filter(({ type }) => type === 'unexplained' || type === 'opening')).toEqual([]);
    expect(sumOf(sums, 'internal')).toBe(0n);
    expect(sumOf(sums, 'deposit')).toBe(500n + ETHER);
    expect(sumOf(sums, 'withdrawal')).toBe(-120n);
    expect(sums.filter(({ type }) => type === 'fee').map(({ walletId }) => walletId)).toEqual(
      expect.arrayContaining([alice.id, bob.id]),
    );
    expect(await states()).toMatchObject([
      { outcome: 'ok', cursor: null, has_native: true, claim_id: null },
      { outcome: 'ok', cursor: null, has_native: true, claim_id: null },
    ]);
    expect(world.reports.at(-1)).toMatchObject({ chain: CHAIN.slug, outcome: 'ok' });
  });

  it('changes nothing when it runs again', async () => {
    const service = world.createService();
    await live();
    await service.run(signal);
    const [first, [state]] = [await entries(), await states()];
    const version = async () =>
      (await world.database.db.selectFrom('data_versions').selectAll().execute()).map(({ version: v }) => v);
    const versionBefore = await version();
    await service.run(signal);
    expect(await entries()).toEqual(first);
    expect(await version()).toEqual(versionBefore);
    expect((await states())[0]?.through_block).toBe(state?.through_block);
    await world.finalize();
    await service.run(signal);
    expect(await entries()).toEqual(first);
    expect(BigInt((await states())[0]?.through_block ?? 0)).toBeGreaterThan(BigInt(state?.through_block ?? 0));
  });

  it('begins after the block that a wallet was first read at', async () => {
    await world.transfer(world.token, { from: outsider, to: bob.address, amount: 1n });
    const carol = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: outsider, chains: [CHAIN.slug] });
    await world.observe([carol]);
    await live();
    await world.createService().run(signal);
    const own = (await entries()).filter((entry) => entry.wallet_id === carol.id);
    await createWalletStore(world.database.db).delete(DEFAULT_TENANT_ID, carol.id);
    expect(own.map(({ amount_raw: amount }) => amount)).not.toContain('-1');
    expect(own.map(({ amount_raw: amount }) => amount)).toContain('-500');
    expect((await states()).every(({ from_block: block, through_block: end }) => BigInt(block) <= BigInt(end ?? 0))).toBe(true);
  });

  it('leaves tokens out that nobody knows', async () => {
    const spam = await world.chain.deploy('Token', ['string', 'string', 'uint8'], ['SPAM', 'SPAM', 18]);
    await world.chain.setBalance(spam, outsider, 100n);
    await world.transfer(spam, { from: outsider, to: alice.address, amount: 100n });
    await live();
    await world.createService().run(signal);
    expect((await entries()).map(({ amount_raw: amount }) => amount)).not.toContain('100');
    expect(await world.database.db.selectFrom('assets').select('id').where('address', '=', spam).execute()).toEqual([]);
  });

  it('notes what failed, keeps its place, and goes on from there', async () => {
    const service = world.createService({ urls: [proxy.url] });
    await live();
    proxy.intercept = ({ method }) =>
      method === 'eth_getLogs' ? { error: { code: -32603, message: 'Internal error' } } : undefined;
    await service.run(signal);
    expect(await states()).toMatchObject([
      {
        outcome: 'failed',
        error_code: 'upstream_rpc_error',
        error_provider: expect.stringContaining('127.0.0.1'),
        through_block: null,
      },
      { outcome: 'failed' },
    ]);
    expect(world.reports).toMatchObject([{ outcome: 'upstream_rpc_error', added: 0 }]);
    proxy.intercept = () => undefined;
    await service.run(signal);
    expect(await states()).toMatchObject([{ outcome: 'ok', error_code: null }, { outcome: 'ok' }]);
    expect((await entries()).length).toBeGreaterThan(5);
  });

  it('says where no endpoint tells the coin, and leaves its movements unexplained', async () => {
    proxy.intercept = ({ method }) =>
      method === 'trace_filter' ? { error: { code: -32601, message: 'Method not found' } } : undefined;
    const after = await live();
    await world.createService({ urls: [proxy.url] }).run(signal);
    expect(await states()).toMatchObject([{ has_native: false }, { has_native: false }]);
    const sums = await world.sumBetween(before, after);
    const unexplained = sums.filter(({ type }) => type === 'unexplained');
    expect(new Set(unexplained.map(({ walletId }) => walletId))).toEqual(new Set([alice.id, bob.id]));
    expect(sumOf(sums, 'deposit')).toBe(500n);
  });
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
    await live();
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
    await live();
    const halted = haltedSource(world.createSource());
    const first = world.createService({ source: halted.source }).run(signal);
    await halted.reached;
    await world.database.db
      .updateTable('transfer_imports')
      .set({ claimed_until: new Date(0) })
      .execute();
    await world.createService().run(signal);
    const stored = await entries();
    expect(stored.length).toBeGreaterThan(5);
    halted.letGo();
    await first;
    expect(await entries()).toEqual(stored);
    expect(world.reports).toMatchObject([{ outcome: 'ok' }]);
  });

  it('at the same time import everything once', async () => {
    await live();
    await Promise.all([world.createService().run(signal), world.createService().run(signal)]);
    const references = (await entries()).map(({ wallet_id: wallet, reference }) => `${wallet} ${reference}`);
    expect(new Set(references).size).toBe(references.length);
    expect(world.reports.reduce((sum, { added }) => sum + added, 0)).toBe(references.length);
  });
});

describe('a run that ends in the middle', () => {
  it('keeps what it stored, gives the rest back, and the next one goes on', async () => {
    await live();
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
    const [half] = await states();
    expect(half).toMatchObject({ outcome: 'ok', claim_id: null, cursor: expect.any(String) });
    const storedHalf = await entries();
    proxy.intercept = () => undefined;
    await service.run(signal);
    expect(await states()).toMatchObject([{ cursor: null }, { cursor: null }]);
    const all = await entries();
    expect(all).toEqual(expect.arrayContaining(storedHalf));
    const [first, last] = [before, await world.observe([alice, bob])];
    expect((await world.sumBetween(first, last)).filter(({ type }) => type === 'unexplained')).toEqual([]);
  });

  it('for a wallet that is deleted meanwhile stores nothing of it', async () => {
    await live();
    const halted = haltedSource(world.createSource());
    const run = world.createService({ source: halted.source }).run(signal);
    await halted.reached;
    await createWalletStore(world.database.db).delete(DEFAULT_TENANT_ID, alice.id);
    halted.letGo();
    await run;
    expect(new Set((await entries()).map(({ wallet_id: id }) => id))).toEqual(new Set([bob.id]));
  });
});

describe('a past that was asked for later', () => {
  /** As a backfill leaves it: what was held at a block of before, and that it is done. */
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
    await live();
    await createWalletStore(world.database.db).delete(DEFAULT_TENANT_ID, alice.id);
    alice = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: alice.address, chains: [CHAIN.slug] });
    await world.observe([alice]);
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
    const ownEntries = async () => (await entries()).filter(({ wallet_id: id }) => id === alice.id);
    expect(await ownEntries()).toEqual([]);
    await fillBack(alice.id, from);
    await service.run(signal);
    expect((await ownEntries()).map(({ amount_raw: amount }) => amount)).toEqual(
      expect.arrayContaining(['500', '-120', '-30', '7']),
    );
    const own = (await states()).find(({ wallet_id: id }) => id === alice.id);
    expect(own).toMatchObject({ from_block: String(from + 1n), past_through_block: null, claim_id: null, outcome: 'ok' });
    const found = world.reports.length;
    await service.run(signal);
    // The past is not read again.
    expect(world.reports.length).toBe(found + 1);
  });

  it('that cannot be read waits for the next run, and what happens now does not wait for it', async () => {
    const service = world.createService({ urls: [proxy.url] });
    await live();
    await service.run(signal);
    await fillBack(alice.id, 1n);
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getLogs' && Object(params[0]).fromBlock === '0x2'
        ? { error: { code: -32603, message: 'Internal error' } }
        : undefined;
    await world.finalize();
    await service.run(signal);
    expect(world.reports.slice(-2)).toMatchObject([{ outcome: 'ok' }, { outcome: 'upstream_rpc_error', added: 0 }]);
    proxy.intercept = () => undefined;
    await service.run(signal);
    expect((await states()).find(({ wallet_id: id }) => id === alice.id)).toMatchObject({ from_block: '2' });
  });
});

it('how far the ledger is behind is told by chain', async () => {
  const service = world.createService();
  await service.run(signal);
  const [lag] = await service.getLags();
  expect(lag).toMatchObject({ chain: CHAIN.slug, lagSeconds: expect.any(Number) });
  expect(lag?.lagSeconds).toBeGreaterThanOrEqual(0);
});
