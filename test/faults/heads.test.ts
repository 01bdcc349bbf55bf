import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const TOKEN = { name: 'Token', types: ['string', 'string', 'uint8'], values: ['USD Coin', 'USDC', 6] } as const;

let stack: TestStack;
/** The first endpoint of Ethereum, which stands still unless told otherwise, and the second, which is the stack's own node. */
let slow: LocalChain;
let second: FaultServer;
beforeAll(async () => {
  slow = await startLocalChain({ chainId: 1 });
  stack = await startTestStack(async ({ ethereum }) => {
    second = await startFaultServer({ upstreamUrl: ethereum.rpcUrl });
    return { ETHEREUM_RPC_URLS: `${slow.rpcUrl},${second.url()}` };
  });
  for (const chain of [slow, stack.ethereum]) {
    await deployAt(chain, USDC, TOKEN);
    await chain.setBalance(USDC, ALICE, 1_000_000n);
  }
  stack.prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '1');
  stack.prices.setPrice('coingecko:ethereum', '3000');
  await mine(stack.ethereum, 50);
  await stack.ethereum.setBalance(USDC, ALICE, 2_000_000n);
  await stack.post('/wallets', { address: ALICE }, 201);
  await stack.refresh();
});
afterAll(async () => {
  await stack.close();
  await Promise.all([slow.stop(), second.close()]);
});

async function heightOf(chain: LocalChain): Promise<number> {
  return Number(await chain.rpc('eth_blockNumber', []));
}

async function mine(chain: LocalChain, blocks: number): Promise<void> {
  await chain.rpc('anvil_mine', [`0x${blocks.toString(16)}`]);
}

/** What a client sees of Ethereum after one more refresh. */
async function read(): Promise<{ block: number; status: string; error: Body; usdc: string }> {
  await stack.refresh();
  const { sources, by_asset } = await stack.get('/portfolio');
  const { block, status, error } = sources.find((source: Body) => source.kind === 'balances');
  return { block: block.number, status, error, usdc: by_asset.find((asset: Body) => asset.token_address === USDC).balance };
}

it('fault 13: an endpoint whose head stands still is passed over for one that goes on, and is named as lagging', async () => {
  expect(await read()).toMatchObject({ usdc: '1' });
  await expect.poll(read, { timeout: 90_000, interval: 500 }).toMatchObject({ status: 'ok', usdc: '2' });
  const states = async (): Promise<readonly string[]> =>
    (await stack.get('/providers')).providers
      .find(({ chain }: Body) => chain === 'ethereum')
      .endpoints.map(({ state }: Body) => state);
  await expect.poll(states, { timeout: 60_000 }).toEqual(['lagging', 'alive']);
}, 180_000);

it('fault 14: no client sees the chain go back when only the endpoint that is behind is left', async () => {
  const { block: tip } = await read();
  expect(tip).toBeGreaterThan(await heightOf(slow));
  second.setMode('reset');
  for (let round = 0; round < 5; round += 1) {
    const seen = await read();
    expect(seen).toMatchObject({ block: tip, usdc: '2', status: 'stale' });
    expect(seen.error.code).toMatch(/^upstream_/);
  }
  second.setMode('ok');
  await expect.poll(read, { timeout: 90_000, interval: 500 }).toMatchObject({ status: 'ok', usdc: '2' });
}, 180_000);

it.each([3, 20])(
  'fault 15: amounts that a reorganisation of %i blocks took back are corrected by the next refresh',
  async (depth) => {
    await mine(stack.ethereum, depth);
    const before = await read();
    await stack.ethereum.setBalance(USDC, ALICE, 9_000_000n);
    await expect.poll(read, { timeout: 60_000 }).toMatchObject({ status: 'ok', usdc: '9' });
    // Empty blocks of the same height in place of those that held the transfer.
    await stack.ethereum.rpc('anvil_reorg', [depth, []]);
    await mine(stack.ethereum, 1);
    await expect.poll(read, { timeout: 60_000 }).toMatchObject({ status: 'ok', usdc: before.usdc });
  },
  180_000,
);
