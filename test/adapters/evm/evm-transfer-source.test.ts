import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEvmTransferSource } from '../../../src/adapters/evm/evm-transfer-source.ts';
import type { TransferQuery, TransferReading } from '../../../src/adapters/transfer-source.ts';
import type { EvmChain } from '../../../src/domain/chain.ts';
import type { Transfer } from '../../../src/domain/ledger.ts';
import { toHexWord } from '../../support/hex-word.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from './evm-setup.ts';
import { CAREFREE, FORWARDER, REGRETTER, startTransferWorld, type TransferWorld, transferLogger } from './transfer-world.ts';

const CHAIN: EvmChain = { ...LOCAL_CHAIN, finality: { tag: 'finalized', blockTimeMs: 1_000 } };
const STRANGER = walletAddress(99);
const ETHER = 10n ** 18n;
const { signal } = new AbortController();

let world: TransferWorld;
let alice: string;
let bob: string;
let outsider: string;
let start: bigint;
let end: bigint;
let proxy: RpcProxy;

/** All that can happen to Alice and Bob, over some forty blocks. */
async function live(): Promise<void> {
  const { chain, token, otherToken, send, transfer } = world;
  const forwarder = walletAddress(50);
  const regretter = walletAddress(51);
  const carefree = walletAddress(52);
  await chain.rpc('anvil_setCode', [forwarder, FORWARDER]);
  await chain.rpc('anvil_setCode', [regretter, REGRETTER]);
  await chain.rpc('anvil_setCode', [carefree, CAREFREE]);
  await transfer(token, { from: outsider, to: alice, amount: 500n });
  await transfer(token, { from: alice, to: STRANGER, amount: 120n });
  await transfer(token, { from: alice, to: bob, amount: 30n });
  await transfer(otherToken, { from: bob, to: alice, amount: 7n });
  await transfer(token, { from: alice, to: alice, amount: 11n });
  await transfer(token, { from: alice, to: bob, amount: 0n });
  await send(outsider, { to: alice, value: 3n * ETHER });
  await send(alice, { to: STRANGER, value: ETHER });
  await send(alice, { to: bob, value: 5n });
  await send(alice, { to: alice, value: 9n });
  // Through a contract: to Alice from outside, and from Bob to Alice.
  await send(outsider, { to: forwarder, value: 70n, data: `0x${toHexWord(alice)}` });
  await send(bob, { to: forwarder, value: 80n, data: `0x${toHexWord(alice)}` });
  // Undone: as a whole, and inside of a transaction that went well.
  await send(bob, { to: regretter, value: 90n, data: `0x${toHexWord(alice)}` });
  await send(outsider, { to: carefree, value: 95n, data: `0x${toHexWord(alice)}${toHexWord(regretter)}` });
  // Moves nothing but the fee.
  await send(bob, { to: token, data: '0x70a08231' });
  await chain.rpc('anvil_mine', ['0x10']);
  await transfer(token, { from: outsider, to: bob, amount: 44n });
}

beforeAll(async () => {
  world = await startTransferWorld();
  [alice = '', bob = '', outsider = ''] = world.accounts.slice(1);
  start = (await world.blockNumber()) + 1n;
  await live();
  end = await world.blockNumber();
  await world.finalize();
});
afterAll(() => world?.close());
beforeEach(async () => {
  proxy = await startRpcProxy(world.chain.rpcUrl);
});
afterEach(() => proxy.close());

type Asked = {
  readonly urls?: readonly string[];
  readonly tokens?: ReadonlySet<string>;
  readonly queries?: Partial<TransferQuery>[];
};

function read({ urls = [proxy.url], tokens = new Set([world.token, world.otherToken]), queries }: Asked = {}) {
  const source = createEvmTransferSource({ chain: CHAIN, pool: createPool(urls) });
  const wanted = queries ?? [
    { walletId: 'alice', address: alice },
    { walletId: 'bob', address: bob },
  ];
  const base = { walletId: 'alice', address: alice, fromBlock: start, toBlock: end, cursor: null };
  return source.readTransfers(
    wanted.map((query) => ({ ...base, ...query })),
    { signal, tokens },
  );
}

function transfersOf(readings: readonly TransferReading[], walletId: string): readonly Transfer[] {
  const reading = readings.find((one) => one.walletId === walletId);
  if (reading?.status !== 'ok') throw new Error(`not read: ${JSON.stringify(reading)}`);
  return reading.transfers;
}

function sumOf(transfers: readonly Transfer[], token: string | null): bigint {
  return transfers.filter(({ asset }) => asset.address === token).reduce((sum, { amountRaw }) => sum + amountRaw, 0n);
}

/** What is left of each change of a balance, wallet by wallet and asset by asset, when all that was told of it is taken away. */
async function unexplained(readings: readonly TransferReading[]): Promise<readonly bigint[]> {
  const rests: bigint[] = [];
  for (const [walletId, address] of [
    ['alice', alice],
    ['bob', bob],
  ] as const) {
    for (const token of [null, world.token, world.otherToken]) {
      const before = await world.balanceAt(address, token, start - 1n);
      const after = await world.balanceAt(address, token, end);
      rests.push(after - before - sumOf(transfersOf(readings, walletId), token));
    }
  }
  return rests;
}

const NOTHING = [0n, 0n, 0n, 0n, 0n, 0n];

describe('transfers of an EVM chain', () => {
  it('explain every change of every balance to the last unit, fees included', async () => {
    const readings = await read();
    expect(await unexplained(readings)).toEqual(NOTHING);
    expect(readings).toMatchObject([
      { walletId: 'alice', status: 'ok', cursor: null, hasNative: true },
      { walletId: 'bob', status: 'ok', cursor: null, hasNative: true },
    ]);
  });

  it('tell both ends of what goes from one wallet to another, once each', async () => {
    const readings = await read();
    const between = (walletId: string) =>
      transfersOf(readings, walletId).filter(({ amountRaw }) => [30n, -30n].includes(amountRaw));
    expect(between('alice')).toMatchObject([
      { amountRaw: -30n, counterparty: bob, asset: { chain: 'local', address: world.token } },
    ]);
    expect(between('bob')).toMatchObject([{ amountRaw: 30n, counterparty: alice }]);
    for (const walletId of ['alice', 'bob']) {
      const references = transfersOf(readings, walletId).map(({ reference }) => reference);
      expect(new Set(references).size).toBe(references.length);
    }
  });

  it('leave out what nets to nothing, and what was undone', async () => {
    const amounts = transfersOf(await read(), 'alice').map(({ amountRaw }) => amountRaw);
    for (const amount of [0n, 9n, -9n, 11n, -11n, 90n, 95n]) expect(amounts).not.toContain(amount);
    expect(amounts).toEqual(expect.arrayContaining([70n, 80n]));
  });

  it('carry the time of their block', async () => {
    const [first] = transfersOf(await read(), 'alice');
    const block = await world.chain.rpc('eth_getBlockByNumber', [`0x${first?.blockNumber.toString(16)}`, false]);
    expect(first?.occurredAt).toEqual(new Date(Number(Reflect.get(Object(block), 'timestamp')) * 1000));
  });

  it('are told once their block is final, and not before', async () => {
    const last = await world.blockNumber();
    await world.transfer(world.token, { from: outsider, to: alice, amount: 1n });
    const [reading] = await read({ queries: [{ fromBlock: last + 1n, toBlock: null }] });
    expect(reading).toMatchObject({ status: 'ok', transfers: [], through: null, cursor: null });
  });

  it('are read up to a block that is named', async () => {
    const [reading] = await read({ queries: [{ toBlock: start }] });
    expect(reading).toMatchObject({ status: 'ok', through: { number: start }, cursor: null });
    expect(transfersOf([reading as TransferReading], 'alice')).toMatchObject([{ amountRaw: 500n, counterparty: outsider }]);
  });

  it('cost as many requests for a hundred wallets as for one', async () => {
    const wallets = Array.from({ length: 100 }, (_, n) => ({ walletId: `w${n}`, address: walletAddress(200 + n) }));
    await read({ queries: wallets });
    const many = proxy.requests;
    proxy.requests = 0;
    await read({ queries: wallets.slice(0, 1) });
    expect(many).toBe(proxy.requests);
  });
});

describe('what a contract claims', () => {
  it('is no transfer when it is of a one-of-a-kind token, or its data are odd', async () => {
    const liar = walletAddress(60);
    const from = await world.blockNumber();
    for (const code of [
      transferLogger({ from: outsider, to: alice, dataBytes: 33 }),
      transferLogger({ from: outsider, to: alice, dataBytes: 0 }),
      transferLogger({ from: outsider, to: alice, dataBytes: 0, tokenId: 7n }),
      transferLogger({ from: outsider, to: alice, dataBytes: 32 }),
    ]) {
      await world.chain.rpc('anvil_setCode', [liar, code]);
      await world.send(outsider, { to: liar });
    }
    await world.finalize();
    const readings = await read({ tokens: new Set([liar]), queries: [{ fromBlock: from, toBlock: null }] });
    // Only the last one has the form of a transfer.
    expect(transfersOf(readings, 'alice')).toMatchObject([{ asset: { address: liar }, amountRaw: 2n ** 248n }]);
    expect(transfersOf(await read({ queries: [{ fromBlock: from, toBlock: null }] }), 'alice')).not.toContainEqual(
      expect.objectContaining({ asset: expect.objectContaining({ address: liar }) }),
    );
  });
});

describe.each([
  ['Infura by results', -32005, 'query returned more than 10000 results. Try with this block range [0x1, 0x5].'],
  ['Infura by range', -32602, 'range 1000000 exceeds limit of 10000'],
  ['Alchemy', -32602, 'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range'],
  ['QuickNode', -32614, 'eth_getLogs is limited to a 10,000 range'],
  ['dRPC', 35, 'ranges over 10000 blocks are not supported on freetier'],
  ['Ankr', -32600, 'block range is too wide'],
  ['PublicNode', -32701, 'exceed maximum block range: 50000'],
])('an endpoint that refuses wide queries as %s does', (_, code, message) => {
  it('is asked for less at a time, and tells the same', async () => {
    const refused: bigint[] = [];
    proxy.intercept = ({ method, params }) => {
      if (method !== 'eth_getLogs' && method !== 'trace_filter') return undefined;
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      const blocks = BigInt(toBlock) - BigInt(fromBlock) + 1n;
      if (blocks <= 10n) return undefined;
      refused.push(blocks);
      return { error: { code, message } };
    };
    expect(await unexplained(await read())).toEqual(NOTHING);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(16);
  });
});

describe('an endpoint', () => {
  it('without traces tells tokens and their fees, says that coins are not told, and is asked for traces once', async () => {
    proxy.intercept = ({ method }) =>
      method.startsWith('trace_')
        ? { error: { code: -32601, message: 'the method trace_filter does not exist/is not available' } }
        : undefined;
    const source = createEvmTransferSource({ chain: CHAIN, pool: createPool([proxy.url]) });
    const query = { walletId: 'alice', address: alice, fromBlock: start, toBlock: end, cursor: null };
    const options = { signal, tokens: new Set([world.token, world.otherToken]) };
    const readings = await source.readTransfers([query], options);
    await source.readTransfers([query], options);
    expect(readings).toMatchObject([{ status: 'ok', hasNative: false, cursor: null }]);
    const told = transfersOf(readings, 'alice');
    const after = await world.balanceAt(alice, world.token, end);
    expect(sumOf(told, world.token)).toBe(after - (await world.balanceAt(alice, world.token, start - 1n)));
    // Three transfers of tokens to somebody else; the one to herself cost a fee as well, and so did the one of nothing.
    expect(told.filter(({ kind }) => kind === 'fee').length).toBe(3);
    expect(proxy.calls.filter(({ method }) => method === 'trace_filter').length).toBe(1);
  });

  it('that keeps its traces for paying customers is not taken for a broken one', async () => {
    proxy.intercept = ({ method }) =>
      method === 'trace_filter' ? { error: { code: 403, message: 'Forbidden: not on your plan' } } : undefined;
    const pool = createPool([proxy.url]);
    const source = createEvmTransferSource({ chain: CHAIN, pool });
    const query = { walletId: 'alice', address: alice, fromBlock: start, toBlock: end, cursor: null };
    const readings = await source.readTransfers([query], { signal, tokens: new Set([world.token]) });
    expect(readings).toMatchObject([{ status: 'ok', hasNative: false }]);
    expect(pool.status()).toMatchObject([{ state: 'alive' }]);
  });

  it('without traces leaves those to another one that has them', async () => {
    proxy.intercept = ({ method }) =>
      method.startsWith('trace_') ? { error: { code: -32601, message: 'Method not found' } } : undefined;
    expect(await unexplained(await read({ urls: [proxy.url, world.chain.rpcUrl] }))).toEqual(NOTHING);
  });

  it('that only fails at traces is waited for', async () => {
    proxy.intercept = ({ method }) =>
      method === 'trace_filter' ? { error: { code: -32603, message: 'Internal error' } } : undefined;
    expect(await read()).toMatchObject([{ status: 'failed' }, { status: 'failed', error: { code: 'upstream_rpc_error' } }]);
  });

  it('that answers no query without a token is asked by name', async () => {
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getLogs' && !('address' in Object(params[0]))
        ? {
            error: {
              code: -32701,
              message: 'Please specify an address in your request or, to remove restrictions, order a node',
            },
          }
        : undefined;
    const many = Array.from({ length: 600 }, (_, n) => walletAddress(10_000 + n));
    expect(await unexplained(await read({ tokens: new Set([...many, world.token, world.otherToken]) }))).toEqual(NOTHING);
  });

  it('that does not have the final block yet is not believed', async () => {
    proxy.intercept = ({ method, params }) => {
      if (method === 'eth_getBlockByNumber' && String(params[0]).startsWith('0x')) return { result: null };
      return method === 'eth_getLogs' ? { result: [] } : undefined;
    };
    expect(await unexplained(await read({ urls: [proxy.url, world.chain.rpcUrl] }))).toEqual(NOTHING);
  });

  it('that knows no final block is asked for what is a quarter of an hour old', async () => {
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getBlockByNumber' && params[0] === 'finalized'
        ? { error: { code: -32602, message: 'invalid block tag' } }
        : undefined;
    const [before] = await read();
    expect(before).toMatchObject({ status: 'ok', through: null, transfers: [] });
    await world.chain.rpc('anvil_mine', ['0x3e8']);
    expect(await unexplained(await read())).toEqual(NOTHING);
  });

  it('that sends logs of other blocks is refused', async () => {
    const logs = await world.chain.rpc('eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x3' }]);
    proxy.intercept = ({ method }) => (method === 'eth_getLogs' ? { result: logs } : undefined);
    expect(await read()).toMatchObject([{ status: 'failed', error: { code: 'upstream_malformed' } }, { status: 'failed' }]);
  });
});
