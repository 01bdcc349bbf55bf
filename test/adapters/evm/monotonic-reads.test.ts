import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import type { BalanceSource, ChainReading } from '../../../src/adapters/balance-source.ts';
import { createEvmBalanceSource } from '../../../src/adapters/evm/evm-balance-source.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from './evm-setup.ts';

const { signal } = new AbortController();
const wallet = walletAddress(1);
let chain: LocalChain;
let ahead: RpcProxy;
let behind: RpcProxy;

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
});
afterAll(() => chain?.stop());
beforeEach(async () => {
  await chain.setNative(wallet, 1n);
  const block = await chain.rpc('eth_getBlockByNumber', ['latest', false]);
  await chain.rpc('anvil_mine', ['0x5']);
  await chain.setNative(wallet, 2n);
  await chain.rpc('anvil_mine', ['0x1']);
  [ahead, behind] = await Promise.all([startRpcProxy(chain.rpcUrl), startRpcProxy(chain.rpcUrl)]);
  behind.intercept = ({ method, params }) =>
    method === 'eth_getBlockByNumber' && params[0] === 'latest' ? { result: block } : undefined;
});
afterEach(() => Promise.all([ahead.close(), behind.close()]));

async function read(source: BalanceSource): Promise<ChainReading> {
  return source.readBalances({ addresses: [wallet], tokens: [], signal });
}

test('an endpoint behind what was read before is passed over, and alone fails rather than go back', async () => {
  const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([ahead.url, behind.url], 2_000) });
  const before = await read(source);
  expect(before.addresses[0]).toMatchObject({ status: 'ok', readings: [{ amountRaw: 2n }] });

  ahead.intercept = () => ({ error: { code: -32005, message: 'limit exceeded' } });
  const alone = await read(source);
  expect(alone.block).toBeNull();
  expect(alone.addresses[0]).toMatchObject({ status: 'failed', error: { code: 'upstream_block_unavailable' } });
  expect(await source.probe(signal)).toMatchObject({ error: { code: 'upstream_block_unavailable' } });

  behind.intercept = () => undefined;
  const caughtUp = await read(source);
  expect(caughtUp.addresses[0]).toMatchObject({ status: 'ok', readings: [{ amountRaw: 2n }] });
  expect(caughtUp.block?.number).toBeGreaterThanOrEqual(before.block?.number ?? 0n);
});

test('of two endpoints at different heights the one behind serves only until the other has', async () => {
  const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([behind.url, ahead.url], 2_000) });
  const first = await read(source);
  expect(first.addresses[0]).toMatchObject({ status: 'ok' });
  behind.intercept = ({ method }) =>
    method === 'eth_getBlockByNumber' ? { error: { code: -32005, message: 'busy' } } : undefined;
  const second = await read(source);
  expect(second.block?.number).toBeGreaterThan(first.block?.number ?? 0n);
});
