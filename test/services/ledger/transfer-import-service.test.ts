import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { addWallet } from '../../support/store-fixtures.ts';
import { ETHER, type ImportStory, startImportStory } from './import-story.ts';
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

function sumOf(sums: Awaited<ReturnType<ImportWorld['sumBetween']>>, type: string): bigint {
  return sums.filter((sum) => sum.type === type).reduce((total, { amountRaw }) => total + amountRaw, 0n);
}

describe('an import', () => {
  it('explains all that changed since the first snapshot, down to the fees', async () => {
    const service = world.createService();
    await service.run(signal);
    const after = await story.live();
    await service.run(signal);
    const sums = await world.sumBetween(story.before, after);
    expect(sums.filter(({ type }) => type === 'unexplained' || type === 'opening')).toEqual([]);
    expect(sumOf(sums, 'internal')).toBe(0n);
    expect(sumOf(sums, 'deposit')).toBe(500n + ETHER);
    expect(sumOf(sums, 'withdrawal')).toBe(-120n);
    expect(sums.filter(({ type }) => type === 'fee').map(({ walletId }) => walletId)).toEqual(
      expect.arrayContaining([story.alice.id, story.bob.id]),
    );
    expect(await story.states()).toMatchObject([
      { outcome: 'ok', cursor: null, has_native: true, claim_id: null },
      { outcome: 'ok', cursor: null, has_native: true, claim_id: null },
    ]);
    expect(world.reports.at(-1)).toMatchObject({ chain: CHAIN.slug, outcome: 'ok' });
  });

  it('changes nothing when it runs again', async () => {
    const service = world.createService();
    await story.live();
    await service.run(signal);
    const [first, [state]] = [await story.entries(), await story.states()];
    const version = async () =>
      (await world.database.db.selectFrom('data_versions').selectAll().execute()).map(({ version: v }) => v);
    const versionBefore = await version();
    await service.run(signal);
    expect(await story.entries()).toEqual(first);
    expect(await version()).toEqual(versionBefore);
    expect((await story.states())[0]?.through_block).toBe(state?.through_block);
    await world.finalize();
    await service.run(signal);
    expect(await story.entries()).toEqual(first);
    expect(BigInt((await story.states())[0]?.through_block ?? 0)).toBeGreaterThan(BigInt(state?.through_block ?? 0));
  });

  it('begins after the block that a wallet was first read at', async () => {
    await world.transfer(world.token, { from: story.outsider, to: story.bob.address, amount: 1n });
    const carol = await addWallet(world.database.db, DEFAULT_TENANT_ID, { address: story.outsider, chains: [CHAIN.slug] });
    await world.observe([carol]);
    await story.live();
    await world.createService().run(signal);
    const own = (await story.entries()).filter((entry) => entry.wallet_id === carol.id);
    await createWalletStore(world.database.tenants).delete(DEFAULT_TENANT_ID, carol.id);
    expect(own.map(({ amount_raw: amount }) => amount)).not.toContain('-1');
    expect(own.map(({ amount_raw: amount }) => amount)).toContain('-500');
    expect((await story.states()).every(({ from_block: block, through_block: end }) => BigInt(block) <= BigInt(end ?? 0))).toBe(
      true,
    );
  });

  it('leaves tokens out that nobody knows', async () => {
    const spam = await world.chain.deploy('Token', ['string', 'string', 'uint8'], ['SPAM', 'SPAM', 18]);
    await world.chain.setBalance(spam, story.outsider, 100n);
    await world.transfer(spam, { from: story.outsider, to: story.alice.address, amount: 100n });
    await story.live();
    await world.createService().run(signal);
    expect((await story.entries()).map(({ amount_raw: amount }) => amount)).not.toContain('100');
    expect(await world.database.db.selectFrom('assets').select('id').where('address', '=', spam).execute()).toEqual([]);
  });

  it('notes what failed, keeps its place, and goes on from there', async () => {
    const service = world.createService({ urls: [proxy.url] });
    await story.live();
    proxy.intercept = ({ method }) =>
      method === 'eth_getLogs' ? { error: { code: -32603, message: 'Internal error' } } : undefined;
    await service.run(signal);
    expect(await story.states()).toMatchObject([
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
    expect(await story.states()).toMatchObject([{ outcome: 'ok', error_code: null }, { outcome: 'ok' }]);
    expect(world.lines).toEqual(['transfers cannot be read', 'transfers can be read again']);
    expect((await story.entries()).length).toBeGreaterThan(5);
  });

  it('says where no endpoint tells the coin, and leaves its movements unexplained', async () => {
    proxy.intercept = ({ method }) =>
      method === 'trace_filter' ? { error: { code: -32601, message: 'Method not found' } } : undefined;
    const after = await story.live();
    await world.createService({ urls: [proxy.url] }).run(signal);
    expect(await story.states()).toMatchObject([{ has_native: false }, { has_native: false }]);
    expect(world.lines).toEqual([expect.stringContaining('the coin of the chain')]);
    const sums = await world.sumBetween(story.before, after);
    const unexplained = sums.filter(({ type }) => type === 'unexplained');
    expect(new Set(unexplained.map(({ walletId }) => walletId))).toEqual(new Set([story.alice.id, story.bob.id]));
    expect(sumOf(sums, 'deposit')).toBe(500n);
  });
});

it('how far the ledger is behind is told by chain', async () => {
  const service = world.createService();
  await service.run(signal);
  const [lag] = await service.getLags();
  expect(lag).toMatchObject({ chain: CHAIN.slug, lagSeconds: expect.any(Number) });
  expect(lag?.lagSeconds).toBeGreaterThanOrEqual(0);
});
