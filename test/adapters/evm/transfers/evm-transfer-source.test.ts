import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startRpcProxy } from '../../../support/rpc-proxy.ts';
import { walletAddress } from '../evm-setup.ts';
import { NOTHING, startTransferStory, type TransferStory, transfersOf } from './transfer-story.ts';
import { transferLogger } from './transfer-world.ts';

let world: TransferStory;
beforeAll(async () => {
  world = await startTransferStory();
});
afterAll(() => world?.close());

describe('transfers of an EVM chain', () => {
  it('explain every change of every balance to the last unit, fees included', async () => {
    const readings = await world.read();
    expect(await world.unexplained(readings)).toEqual(NOTHING);
    expect(readings).toMatchObject([
      { walletId: 'alice', status: 'ok', cursor: null, hasNative: true },
      { walletId: 'bob', status: 'ok', cursor: null, hasNative: true },
    ]);
  });

  it('tell both ends of what goes from one wallet to another, once each', async () => {
    const readings = await world.read();
    const between = (walletId: string) =>
      transfersOf(readings, walletId).filter(({ amountRaw }) => [30n, -30n].includes(amountRaw));
    expect(between('alice')).toMatchObject([
      { amountRaw: -30n, counterparty: world.bob, asset: { chain: 'local', address: world.token } },
    ]);
    expect(between('bob')).toMatchObject([{ amountRaw: 30n, counterparty: world.alice }]);
    for (const walletId of ['alice', 'bob']) {
      const references = transfersOf(readings, walletId).map(({ reference }) => reference);
      expect(new Set(references).size).toBe(references.length);
    }
  });

  it('leave out what nets to nothing, and what was undone', async () => {
    const amounts = transfersOf(await world.read(), 'alice').map(({ amountRaw }) => amountRaw);
    for (const amount of [0n, 9n, -9n, 11n, -11n, 90n, 95n]) expect(amounts).not.toContain(amount);
    expect(amounts).toEqual(expect.arrayContaining([70n, 80n]));
  });

  it('carry the time of their block', async () => {
    const [first] = transfersOf(await world.read(), 'alice');
    const block = await world.chain.rpc('eth_getBlockByNumber', [`0x${first?.blockNumber.toString(16)}`, false]);
    expect(first?.occurredAt).toEqual(new Date(Number(Reflect.get(Object(block), 'timestamp')) * 1000));
  });

  it('are told once their block is final, and not before', async () => {
    const last = await world.blockNumber();
    await world.transfer(world.token, { from: world.outsider, to: world.alice, amount: 1n });
    const [reading] = await world.read({ queries: [{ fromBlock: last + 1n, toBlock: null }] });
    expect(reading).toMatchObject({ status: 'ok', transfers: [], through: null, cursor: null });
  });

  it('are read up to a block that is named', async () => {
    const readings = await world.read({ queries: [{ toBlock: world.start }] });
    expect(readings[0]).toMatchObject({ status: 'ok', through: { number: world.start }, cursor: null });
    expect(transfersOf(readings, 'alice')).toMatchObject([{ amountRaw: 500n, counterparty: world.outsider }]);
  });

  it('cost as many requests for a hundred wallets as for one', async () => {
    const wallets = Array.from({ length: 100 }, (_, n) => ({ walletId: `w${n}`, address: walletAddress(200 + n) }));
    const proxy = await startRpcProxy(world.chain.rpcUrl);
    onTestFinished(() => proxy.close());
    await world.read({ urls: [proxy.url], queries: wallets });
    const many = proxy.requests;
    proxy.requests = 0;
    await world.read({ urls: [proxy.url], queries: wallets.slice(0, 1) });
    expect(many).toBe(proxy.requests);
  });
});

describe('what a contract claims', () => {
  it('is no transfer when it is of a one-of-a-kind token, or its data are odd', async () => {
    const liar = walletAddress(60);
    const from = await world.blockNumber();
    for (const code of [
      transferLogger({ from: world.outsider, to: world.alice, dataBytes: 33 }),
      transferLogger({ from: world.outsider, to: world.alice, dataBytes: 0 }),
      transferLogger({ from: world.outsider, to: world.alice, dataBytes: 0, tokenId: 7n }),
      transferLogger({ from: world.outsider, to: world.alice, dataBytes: 32 }),
    ]) {
      await world.chain.rpc('anvil_setCode', [liar, code]);
      await world.send(world.outsider, { to: liar });
    }
    await world.finalize();
    const readings = await world.read({ tokens: new Set([liar]), queries: [{ fromBlock: from, toBlock: null }] });
    // Only the last one has the form of a transfer.
    expect(transfersOf(readings, 'alice')).toMatchObject([{ asset: { address: liar }, amountRaw: 2n ** 248n }]);
    expect(transfersOf(await world.read({ queries: [{ fromBlock: from, toBlock: null }] }), 'alice')).not.toContainEqual(
      expect.objectContaining({ asset: expect.objectContaining({ address: liar }) }),
    );
  });
});
