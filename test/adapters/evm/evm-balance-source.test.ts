import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import type { ChainReading } from '../../../src/adapters/balance-source.ts';
import { createEvmBalanceSource } from '../../../src/adapters/evm/evm-balance-source.ts';
import { describeBalanceSource } from '../../contract/balance-source.contract.ts';
import { onlyFrom, type RpcProxy, startRpcProxy, toOf } from '../../support/rpc-proxy.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from './evm-setup.ts';

/** What one request for the newest block asks. */
const NEWEST_BLOCK = ['eth_getBlockByNumber', 'eth_chainId'];

const signal = new AbortController().signal;
const MULTICALL3 = LOCAL_CHAIN.multicall3.toLowerCase();
const TOKEN_ARGUMENTS = ['string', 'string', 'uint8'] as const;

describeBalanceSource('an EVM chain', async () => {
  const chain = await startLocalChain({ chainId: 31337 });
  const token = await chain.deploy('Token', TOKEN_ARGUMENTS, ['Token', 'TKN', 6]);
  const holder = walletAddress(1);
  await chain.setNative(holder, 3n);
  await chain.setBalance(token, holder, 2n ** 200n);
  return {
    source: createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([chain.rpcUrl]) }),
    deadSource: createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([await deadUrl()]) }),
    holder,
    emptyWallet: walletAddress(2),
    nativeRaw: 3n,
    token,
    tokenRaw: 2n ** 200n,
    tokenDecimals: 6,
    notAToken: walletAddress(3),
    close: () => chain.stop(),
  };
});

describe('a chain with 10 wallets and 20 tokens', () => {
  let chain: LocalChain;
  let first: RpcProxy;
  let second: RpcProxy;
  const wallets = Array.from({ length: 10 }, (_, index) => walletAddress(index));
  const tokens: string[] = [];
  const amount = (w: number, t: number): bigint => BigInt(w * 100 + t);

  beforeAll(async () => {
    chain = await startLocalChain({ chainId: 31337 });
    for (let t = 0; t < 20; t++) tokens.push(await chain.deploy('Token', TOKEN_ARGUMENTS, [`Token ${t}`, `T${t}`, 18]));
    for (const [w, wallet] of wallets.entries()) {
      await chain.setNative(wallet, BigInt(w + 1));
      for (const [t, token] of tokens.entries()) await chain.setBalance(token, wallet, amount(w, t));
    }
  });
  afterAll(() => chain?.stop());
  beforeEach(async () => {
    first = await startRpcProxy(chain.rpcUrl);
    second = await startRpcProxy(chain.rpcUrl);
  });
  afterEach(async () => {
    await first.close();
    await second.close();
  });

  const readFrom = (urls: readonly string[], timeoutMs?: number): Promise<ChainReading> =>
    createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool(urls, timeoutMs) }).readBalances({
      addresses: wallets,
      tokens,
      signal,
    });

  /** Every amount that is not what was minted, as `wallet/token: what was read`. */
  const differences = (reading: ChainReading): readonly string[] =>
    reading.addresses.flatMap((entry, w) => {
      if (entry.status !== 'ok') return [`${w}: ${entry.error.code}`];
      return entry.readings.flatMap((item, slot) => {
        const expected = slot === 0 ? BigInt(w + 1) : amount(w, slot - 1);
        if (item.status === 'ok' && item.amountRaw === expected) return [];
        return [`${w}/${slot - 1}: ${item.status === 'ok' ? item.amountRaw : item.error.code}`];
      });
    });

  test('is read in two requests after the check of the chain id', async () => {
    expect(differences(await readFrom([first.url]))).toEqual([]);
    expect(first.calls.map((call) => call.method)).toEqual(['eth_chainId', ...NEWEST_BLOCK, 'eth_call']);
    expect(first.requests).toBe(3);
  });

  test('is not believed from the moment it serves another chain', async () => {
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([first.url]) });
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    first.intercept = ({ method }) => (method === 'eth_chainId' ? { result: '0x89' } : undefined);
    const { block, addresses } = await source.readBalances({ addresses: wallets, tokens, signal });
    expect(block).toBeNull();
    for (const entry of addresses) expect(entry).toMatchObject({ status: 'failed', error: { code: 'upstream_wrong_chain' } });
  });

  test('is read by block number from an endpoint that takes no block hash, which is asked only once', async () => {
    first.intercept = ({ method, params }) =>
      method === 'eth_call' && typeof params[1] === 'object'
        ? { error: { code: -32602, message: 'invalid argument 1: json: cannot unmarshal object into Go value of type string' } }
        : undefined;
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([first.url]) });
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    first.calls = [];
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    // The block is looked at again in the end: its number could have become another block's.
    expect(first.calls.map((call) => call.method)).toEqual([...NEWEST_BLOCK, 'eth_call', 'eth_getBlockByNumber']);
  });

  test('moves to the next endpoint when one dies between the block and the balances', async () => {
    first.intercept = ({ method }) =>
      method === 'eth_call' ? { error: { code: -32005, message: 'limit exceeded' } } : undefined;
    const reading = await readFrom([first.url, second.url]);
    expect(differences(reading)).toEqual([]);
    expect(second.calls.map((call) => call.method)).toContain('eth_call');
  });

  test('moves to the next endpoint when one hangs', async () => {
    first.intercept = ({ method }) => (method === 'eth_call' ? 'hang' : undefined);
    expect(differences(await readFrom([first.url, second.url], 500))).toEqual([]);
  });

  test('moves to the next endpoint when one answers with what is no balance', async () => {
    first.intercept = ({ method }) => (method === 'eth_call' ? { result: null } : undefined);
    expect(differences(await readFrom([first.url, second.url]))).toEqual([]);
  });

  test('never believes an endpoint of another chain', async () => {
    first.intercept = ({ method }) => (method === 'eth_chainId' ? { result: '0x89' } : undefined);
    const reading = await readFrom([first.url]);
    expect(reading.block).toBeNull();
    expect(reading.addresses.map((entry) => (entry.status === 'ok' ? 'ok' : entry.error.code))).toEqual(
      wallets.map(() => 'upstream_wrong_chain'),
    );
    expect(first.calls.map((call) => call.method)).toEqual(['eth_chainId']);
  });

  test('never mixes the block of one endpoint with the state of another', async () => {
    const fork = `0x${'de'.repeat(32)}`;
    first.intercept = ({ method }) =>
      method === 'eth_call' ? { error: { code: -32000, message: 'missing trie node' } } : undefined;
    second.intercept = ({ method, params }) =>
      method === 'eth_getBlockByNumber' ? { result: { number: params[0], hash: fork } } : undefined;
    const reading = await readFrom([first.url, second.url]);
    expect(differences(reading)).toEqual(wallets.map((_, w) => `${w}: upstream_block_unavailable`));
    expect(second.calls.map((call) => call.method)).not.toContain('eth_call');
  });

  test('starts again a few blocks back when the newest block is not there yet for the reads', async () => {
    let missing = 0;
    const newest = BigInt(String(await chain.rpc('eth_blockNumber', [])));
    const { hash } = (await chain.rpc('eth_getBlockByNumber', ['latest', false])) as { hash: string };
    first.intercept = ({ method, params }) => {
      if (method !== 'eth_call' || JSON.stringify(params[1]) !== JSON.stringify({ blockHash: hash })) return undefined;
      missing += 1;
      return { error: { code: -32000, message: 'header for hash not found' } };
    };
    const reading = await readFrom([first.url]);
    expect(missing).toBe(1);
    expect(reading.block?.number).toBe(newest - 4n);
    expect(reading.addresses.every((entry) => entry.status === 'ok')).toBe(true);
  });

  test('starts again when the block was reorganised away under reads by number', async () => {
    let reads = 0;
    let isReorganised = false;
    first.intercept = ({ method, params }) => {
      if (method === 'eth_call' && typeof params[1] === 'object')
        return { error: { code: -32602, message: 'invalid argument 1' } };
      if (method === 'eth_call') reads += 1;
      if (method !== 'eth_getBlockByNumber' || params[0] === 'latest' || isReorganised) return undefined;
      isReorganised = true;
      return { result: { number: params[0], hash: `0x${'de'.repeat(32)}` } };
    };
    const reading = await readFrom([first.url]);
    expect(reads).toBe(2);
    expect(reading.addresses.every((entry) => entry.status === 'ok')).toBe(true);
  });

  test('is read in smaller requests where large ones run out of gas, and the size is remembered', async () => {
    const slots = (params: readonly unknown[]): number => ((params[0] as { data: string }).data.length - 8) / 40;
    first.intercept = ({ method, params }) =>
      method === 'eth_call' && toOf(params) !== undefined && slots(params) > 16
        ? { error: { code: -32000, message: 'out of gas' } }
        : undefined;
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([first.url]) });
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    const learning = first.requests;
    first.requests = 0;
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    expect(first.requests).toBeLessThan(learning);
  });

  test('loses only the token at fault to an endpoint that fails on it', async () => {
    const guilty = (tokens[7] ?? '').slice(2).toLowerCase();
    first.intercept = ({ method, params }) =>
      method === 'eth_call' && JSON.stringify(params).toLowerCase().includes(guilty)
        ? { error: { code: -32000, message: 'out of gas' } }
        : undefined;
    expect(differences(await readFrom([first.url]))).toEqual(wallets.map((_, w) => `${w}/7: upstream_out_of_gas`));
  });

  test('loses only the chunk that no endpoint serves', async () => {
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([first.url]) });
    const many = Array.from({ length: 3000 }, (_, index) => walletAddress(index));
    const lost = (many[2999] ?? '').slice(2).toLowerCase();
    first.intercept = ({ params }) =>
      JSON.stringify(params).toLowerCase().includes(lost) ? { error: { code: -32603, message: 'internal error' } } : undefined;
    const reading = await source.readBalances({ addresses: many, tokens: [], signal });
    const failed = reading.addresses.filter((entry) => entry.status !== 'ok');
    expect(failed).toHaveLength(1000);
    expect(failed.every((entry) => entry.error.code === 'upstream_rpc_error' && entry.error.provider !== null)).toBe(true);
    expect(reading.addresses.slice(0, 10).map((entry) => entry.status)).toEqual(wallets.map(() => 'ok'));
  });

  test('goes down to Multicall3 and then to plain calls, and skips what was refused from then on', async () => {
    first.intercept = onlyFrom('multicall');
    second.intercept = onlyFrom('single');
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([first.url]) });
    await source.readBalances({ addresses: wallets, tokens, signal });
    first.calls = [];
    expect(differences(await source.readBalances({ addresses: wallets, tokens, signal }))).toEqual([]);
    expect(first.calls.map((call) => (call.method === 'eth_call' ? toOf(call.params) : call.method))).toEqual([
      ...NEWEST_BLOCK,
      MULTICALL3,
    ]);
    expect(differences(await readFrom([second.url]))).toEqual([]);
  });
});

/** A port that was free a moment ago. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 1}`;
}
