import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { type FaultMode, type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const KEY = 'a1b2c3d4e5f6a7b8c9d0';

let stack: TestStack;
let faulty: FaultServer;

beforeAll(async () => {
  stack = await startTestStack(async ({ ethereum }) => {
    faulty = await startFaultServer({ upstreamUrl: ethereum.rpcUrl });
    return { ETHEREUM_RPC_URLS: `${faulty.url()}/${KEY}` };
  });
  await deployAt(stack.ethereum, USDC, { name: 'Token', types: ['string', 'string', 'uint8'], values: ['USD Coin', 'USDC', 6] });
  await stack.ethereum.setBalance(USDC, ALICE, 250_000_000n);
  await stack.ethereum.setNative(ALICE, 2n * 10n ** 18n);
  stack.prices.setPrice('coingecko:ethereum', '3000');
  stack.prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '1');
  await stack.post('/wallets', { address: ALICE }, 201);
  await stack.refresh();
});
afterAll(async () => {
  await stack.close();
  await faulty.close();
});

describe('an endpoint that was good and then', () => {
  it.each<[FaultMode, string]>([
    ['hang', 'upstream_timeout'],
    ['drip', 'upstream_timeout'],
    ['html200', 'upstream_malformed'],
    ['html503', 'upstream_status'],
    ['huge', 'upstream_too_large'],
    ['bomb', 'upstream_encoding'],
    ['redirect', 'upstream_redirect'],
    ['half', 'upstream_rate_limited'],
    ['r429-3600', 'upstream_rate_limited'],
    ['r429-garbage', 'upstream_rate_limited'],
    ['r429-negative', 'upstream_rate_limited'],
    ['status-401', 'upstream_unauthorized'],
    ['truncated', 'upstream_malformed'],
    ['reset', 'upstream_unreachable'],
  ])('answers with %s leaves the last amounts, marked and named', async (mode, code) => {
    expect((await stack.get('/portfolio')).total_value).toBe('6250');
    faulty.setMode(mode);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({ total_value: '6250', complete: false });
    expect(portfolio.incomplete_reasons).toContain('source_stale');
    const [source] = portfolio.sources.filter((entry: Body) => entry.chain === 'ethereum');
    expect(source).toMatchObject({ status: 'stale', error: { code } });
    expect(JSON.stringify(portfolio)).not.toContain(KEY);
    faulty.setMode('ok');
    await stack.refresh();
    expect(await stack.get('/portfolio')).toMatchObject({ total_value: '6250', complete: true });
  });
});

it('an endpoint that serves another chain from one moment to the next is not believed', async () => {
  faulty.setMode('wrong-chain');
  await stack.refresh();
  const portfolio = await stack.get('/portfolio');
  expect(portfolio).toMatchObject({ total_value: '6250', complete: false });
  expect(portfolio.sources[0]).toMatchObject({ status: 'stale', error: { code: 'upstream_wrong_chain' } });
  faulty.setMode('ok');
  await stack.refresh();
  expect(await stack.get('/portfolio')).toMatchObject({ total_value: '6250', complete: true });
});

describe('a price source that', () => {
  it.each([
    ['is down', 'down'],
    ['sends HTML', 'html'],
    ['sends zero', 'value:0'],
    ['sends a negative price', 'value:-1'],
    ['sends an absurd price', 'value:1e30'],
  ] as const)('%s leaves the last price, and names itself when there is none', async (_, fault) => {
    stack.prices.setFault('defillama', fault);
    stack.prices.setFault('coingecko', fault);
    await stack.refresh();
    expect((await stack.get('/portfolio')).total_value).toBe('6250');
    const token = await stack.ethereum.deploy('Token', ['string', 'string', 'uint8'], ['New', 'NEWTOKEN', 18]);
    stack.prices.setPrice(`ethereum:${token.toLowerCase()}`, '4');
    await stack.ethereum.setBalance(token, ALICE, 10n ** 18n);
    const { id } = await stack.post('/assets', { chain: 'ethereum', address: token }, 201);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({ total_value: '6250', incomplete_reasons: ['unpriced'], unpriced_count: 1 });
    const named = portfolio.sources
      .filter((source: Body) => source.kind === 'prices')
      .map((source: Body) => source.error.provider);
    expect(named).toContain('defillama');
    stack.prices.setFault('defillama', 'none');
    stack.prices.setFault('coingecko', 'none');
    await stack.patch(`/assets/${id}`, { spam: true });
  });
});
