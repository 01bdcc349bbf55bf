import { Interface, id } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { createEvmCaller } from '../../../src/adapters/evm/evm-caller.ts';
import { RUNGS } from '../../../src/adapters/evm/ladder.ts';
import { onlyFrom, type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { createPool, LOCAL_CHAIN } from './evm-setup.ts';

const signal = new AbortController().signal;
const feed = new Interface(['function latestRoundData() view returns (uint80, int256, uint256, uint256, uint80)']);
const LATEST = id('latestRoundData()').slice(0, 10);
const BALANCE_OF = `${id('balanceOf(address)').slice(0, 10)}${'0'.repeat(64)}`;

let chain: LocalChain;
beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
});
afterAll(() => chain?.stop());

describe.each(RUNGS)('an endpoint that serves no better way than %s', (rung) => {
  let proxy: RpcProxy;
  beforeAll(async () => {
    proxy = await startRpcProxy(chain.rpcUrl);
    proxy.intercept = onlyFrom(rung);
  });
  afterAll(() => proxy.close());

  test('answers many calls at one block, each failing on its own', async () => {
    const feeds: string[] = [];
    for (const price of [100n, 200n, -5n]) {
      feeds.push(await chain.deploy('Aggregator', ['string', 'uint8', 'int256'], ['A / USD', 8, price]));
    }
    const burner = await chain.deploy('BalanceBurnsGas');
    const bomb = await chain.deploy('BalanceBombs');
    const caller = createEvmCaller({ chain: LOCAL_CHAIN, pool: createPool([proxy.url]) });

    const { block, results } = await caller.callMany(
      [
        { to: feeds[0] ?? '', data: LATEST },
        { to: burner, data: BALANCE_OF },
        { to: feeds[1] ?? '', data: LATEST },
        { to: feeds[1] ?? '', data: '0xdeadbeef' },
        { to: bomb, data: BALANCE_OF },
        { to: `0x${'ee'.repeat(20)}`, data: LATEST },
        { to: feeds[2] ?? '', data: LATEST },
      ],
      signal,
    );

    expect(block.number).toBe(BigInt(String(await chain.rpc('eth_blockNumber', []))));
    const answers = results.map((result) => {
      if (!result.ok) return result.error.code;
      return result.data.length === 2 + 5 * 64
        ? feed.decodeFunctionResult('latestRoundData', result.data)[1]
        : (result.data.length - 2) / 2;
    });
    expect([answers[0], answers[2], answers[6]]).toEqual([100n, 200n, -5n]);
    expect(['upstream_reverted', 'upstream_out_of_gas']).toContain(answers[1]);
    expect(answers[3]).toBe('upstream_reverted');
    expect(answers[4]).toBe(512);
    expect(answers[5]).toBe('upstream_unsupported');
  });
});

test('throws when no endpoint serves the calls', async () => {
  const proxy = await startRpcProxy(chain.rpcUrl);
  proxy.intercept = ({ method }) => (method === 'eth_call' ? { error: { code: -32005, message: 'limit' } } : undefined);
  const caller = createEvmCaller({ chain: LOCAL_CHAIN, pool: createPool([proxy.url]) });
  await expect(caller.callMany([{ to: `0x${'ee'.repeat(20)}`, data: LATEST }], signal)).rejects.toMatchObject({
    code: 'upstream_rate_limited',
  });
  await proxy.close();
});

test('makes hundreds of calls in a few requests', async () => {
  const proxy = await startRpcProxy(chain.rpcUrl);
  const to = await chain.deploy('Aggregator', ['string', 'uint8', 'int256'], ['A / USD', 8, 7n]);
  const caller = createEvmCaller({ chain: LOCAL_CHAIN, pool: createPool([proxy.url]) });
  const { results } = await caller.callMany(
    Array.from({ length: 300 }, () => ({ to, data: LATEST })),
    signal,
  );
  expect(results.filter((result) => result.ok)).toHaveLength(300);
  expect(proxy.requests).toBeLessThanOrEqual(5);
  await proxy.close();
});
