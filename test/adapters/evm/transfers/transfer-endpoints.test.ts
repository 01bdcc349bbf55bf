import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startFaultServer } from '../../../../localnet/fault-server.ts';
import { createEvmTransferSource } from '../../../../src/adapters/evm/transfers/evm-transfer-source.ts';
import { type RpcProxy, startRpcProxy } from '../../../support/rpc-proxy.ts';
import { createPool, walletAddress } from '../evm-setup.ts';
import { CHAIN, NOTHING, startTransferStory, sumOf, type TransferStory, transfersOf } from './transfer-story.ts';

const { signal } = new AbortController();
let world: TransferStory;
let proxy: RpcProxy;
beforeAll(async () => {
  world = await startTransferStory();
});
afterAll(() => world?.close());
beforeEach(async () => {
  proxy = await startRpcProxy(world.chain.rpcUrl);
});
afterEach(() => proxy.close());

const read = (asked: Parameters<TransferStory['read']>[0] = {}): ReturnType<TransferStory['read']> =>
  world.read({ urls: [proxy.url], ...asked });

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
    expect(await world.unexplained(await read())).toEqual(NOTHING);
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
    const query = { walletId: 'alice', address: world.alice, fromBlock: world.start, toBlock: world.end, cursor: null };
    const options = { signal, tokens: new Set([world.token, world.otherToken]) };
    const readings = await source.readTransfers([query], options);
    await source.readTransfers([query], options);
    expect(readings).toMatchObject([{ status: 'ok', hasNative: false, cursor: null }]);
    const told = transfersOf(readings, 'alice');
    const after = await world.balanceAt(world.alice, world.token, world.end);
    expect(sumOf(told, world.token)).toBe(after - (await world.balanceAt(world.alice, world.token, world.start - 1n)));
    // Three transfers of tokens to somebody else; the one to herself cost a fee as well, and so did the one of nothing.
    expect(told.filter(({ kind }) => kind === 'fee').length).toBe(3);
    expect(proxy.calls.filter(({ method }) => method === 'trace_filter').length).toBe(1);
  });

  it('that keeps its traces for paying customers is not taken for a broken one', async () => {
    proxy.intercept = ({ method }) =>
      method === 'trace_filter' ? { error: { code: 403, message: 'Forbidden: not on your plan' } } : undefined;
    const pool = createPool([proxy.url]);
    const source = createEvmTransferSource({ chain: CHAIN, pool });
    const query = { walletId: 'alice', address: world.alice, fromBlock: world.start, toBlock: world.end, cursor: null };
    const readings = await source.readTransfers([query], { signal, tokens: new Set([world.token]) });
    expect(readings).toMatchObject([{ status: 'ok', hasNative: false }]);
    expect(pool.status()).toMatchObject([{ state: 'alive' }]);
  });

  it('without traces leaves those to another one that has them', async () => {
    proxy.intercept = ({ method }) =>
      method.startsWith('trace_') ? { error: { code: -32601, message: 'Method not found' } } : undefined;
    expect(await world.unexplained(await read({ urls: [proxy.url, world.chain.rpcUrl] }))).toEqual(NOTHING);
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
    expect(await world.unexplained(await read({ tokens: new Set([...many, world.token, world.otherToken]) }))).toEqual(NOTHING);
  });

  it('that does not have the final block yet is not believed', async () => {
    proxy.intercept = ({ method, params }) => {
      if (method === 'eth_getBlockByNumber' && String(params[0]).startsWith('0x')) return { result: null };
      return method === 'eth_getLogs' ? { result: [] } : undefined;
    };
    expect(await world.unexplained(await read({ urls: [proxy.url, world.chain.rpcUrl] }))).toEqual(NOTHING);
  });

  it('that knows no final block is asked for what is a quarter of an hour old', async () => {
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getBlockByNumber' && params[0] === 'finalized'
        ? { error: { code: -32602, message: 'invalid block tag' } }
        : undefined;
    const [before] = await read();
    expect(before).toMatchObject({ status: 'ok', through: null, transfers: [] });
    await world.chain.rpc('anvil_mine', ['0x3e8']);
    expect(await world.unexplained(await read())).toEqual(NOTHING);
  });

  it('that sends logs of other blocks is refused', async () => {
    const logs = await world.chain.rpc('eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x3' }]);
    proxy.intercept = ({ method }) => (method === 'eth_getLogs' ? { result: logs } : undefined);
    expect(await read()).toMatchObject([{ status: 'failed', error: { code: 'upstream_malformed' } }, { status: 'failed' }]);
  });

  it('of a chain above another one tells what that one took', async () => {
    const hash = transfersOf(await world.read(), 'alice').find(({ kind }) => kind === 'fee')?.txHash;
    const receipt = Object(await world.chain.rpc('eth_getTransactionReceipt', [hash]));
    proxy.intercept = ({ method, params }) =>
      method === 'eth_getTransactionReceipt' && params[0] === hash
        ? { result: { ...receipt, l1Fee: '0x3e8', blobGasUsed: '0x2', blobGasPrice: '0x5' } }
        : undefined;
    expect(await world.unexplained(await read())).toEqual([1_010n, 0n, 0n, 0n, 0n, 0n]);
  });

  it('that refuses by a status of HTTP is asked for less as well', async () => {
    const narrow = await startFaultServer({ upstreamUrl: world.chain.rpcUrl });
    onTestFinished(() => narrow.close());
    expect(await world.unexplained(await read({ urls: [narrow.url('narrow-413')] }))).toEqual(NOTHING);
  });

  it('that does not answer in time is left to the next one', async () => {
    proxy.intercept = ({ method }) => (method === 'eth_getLogs' ? 'hang' : undefined);
    const pool = createPool([proxy.url, world.chain.rpcUrl], 500);
    const source = createEvmTransferSource({ chain: CHAIN, pool });
    const query = { walletId: 'alice', address: world.alice, fromBlock: world.start, toBlock: world.end, cursor: null };
    const readings = await source.readTransfers([query], { signal, tokens: new Set([world.token]) });
    expect(transfersOf(readings, 'alice').length).toBeGreaterThan(5);
  });
});
