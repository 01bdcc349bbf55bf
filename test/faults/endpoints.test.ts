import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultMode, type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { onlyFrom, type RpcProxy, startRpcProxy } from '../support/rpc-proxy.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';
import { SELF_SIGNED } from './self-signed.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const KEY = 'a1b2c3d4e5f6a7b8c9d0';
const WHOLE = '9250';

let stack: TestStack;
let base: LocalChain;
/** In front of Base's own first endpoint; behind it there is a good one. */
let backed: FaultServer;
/** The only endpoint of Ethereum. */
let lone: FaultServer;
let between: RpcProxy;

beforeAll(async () => {
  base = await startLocalChain({ chainId: 8453 });
  backed = await startFaultServer({ upstreamUrl: base.rpcUrl });
  stack = await startTestStack(async ({ ethereum }) => {
    between = await startRpcProxy(ethereum.rpcUrl);
    lone = await startFaultServer({ upstreamUrl: between.url });
    return { ETHEREUM_RPC_URLS: `${lone.url()}/${KEY}`, BASE_RPC_URLS: `${backed.url()}/${KEY},${base.rpcUrl}` };
  });
  await deployAt(stack.ethereum, USDC, { name: 'Token', types: ['string', 'string', 'uint8'], values: ['USD Coin', 'USDC', 6] });
  await stack.ethereum.setBalance(USDC, ALICE, 250_000_000n);
  await stack.ethereum.setNative(ALICE, 2n * 10n ** 18n);
  await base.setNative(ALICE, 10n ** 18n);
  stack.prices.setPrice('coingecko:ethereum', '3000');
  stack.prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '1');
  await stack.post('/wallets', { address: ALICE, chain: ['ethereum', 'base'] }, 201);
  await stack.refresh();
  expect(await stack.get('/portfolio')).toMatchObject({ total_value: WHOLE, complete: true });
});
afterAll(async () => {
  await stack.close();
  await Promise.all([lone.close(), backed.close(), between.close(), base.stop()]);
});

beforeEach(() => {
  lone.setMode('ok');
  backed.setMode('ok');
  between.intercept = () => undefined;
});

/** Refreshes until every figure is there again: an endpoint may have to prove itself first. */
async function becomesWhole(): Promise<void> {
  const refreshed = async (): Promise<Body> => {
    await stack.refresh();
    return stack.get('/portfolio');
  };
  await expect.poll(refreshed, { timeout: 60_000, interval: 500 }).toMatchObject({ total_value: WHOLE, complete: true });
}

function sourceOf(portfolio: Body, chain: string): Body {
  return portfolio.sources.find((source: Body) => source.chain === chain && source.kind === 'balances');
}

/**
 * What a client sees when the only endpoint of Ethereum and the first of two of Base get this fault: the last figures of Ethereum, marked, with the reason,
 * and everything of Base.
 */
async function costsNoFigure(faults: readonly (readonly [FaultMode, string])[]): Promise<void> {
  for (const [mode, code] of faults) {
    lone.setMode(mode);
    backed.setMode(mode);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    expect(portfolio, mode).toMatchObject({ total_value: WHOLE, complete: false, incomplete_reasons: ['source_stale'] });
    expect(sourceOf(portfolio, 'ethereum'), mode).toMatchObject({ status: 'stale', error: { code } });
    expect(sourceOf(portfolio, 'base'), mode).toMatchObject({ status: 'ok', error: null });
    expect(JSON.stringify(portfolio)).not.toMatch(new RegExp(`${KEY}|1015|Just a moment`));
    await Promise.all([lone.allClosed(), backed.allClosed()]);
    lone.setMode('ok');
    backed.setMode('ok');
    await becomesWhole();
  }
}

describe('an endpoint that was good and then', { timeout: 120_000 }, () => {
  it('fault 1: never answers costs no figure', () => costsNoFigure([['hang', 'upstream_timeout']]));
  it('fault 2: drips costs no figure', () => costsNoFigure([['drip', 'upstream_timeout']]));
  it('fault 3: sends 100 MB costs no figure', () =>
    costsNoFigure([
      ['huge', 'upstream_too_large'],
      ['huge-declared', 'upstream_too_large'],
    ]));
  it('fault 4: sends a gzip bomb costs no figure', () => costsNoFigure([['bomb', 'upstream_encoding']]));
  it('fault 5: sends HTML costs no figure, and the HTML goes nowhere', () =>
    costsNoFigure([
      ['html200', 'upstream_malformed'],
      ['html503', 'upstream_status'],
    ]));
  it('fault 6: breaks off in the middle of its JSON costs no figure', () =>
    costsNoFigure([
      ['truncated', 'upstream_malformed'],
      ['cut', 'upstream_unreachable'],
    ]));
  it('fault 7: answers under other ids costs no figure', () => costsNoFigure([['wrong-ids', 'upstream_malformed']]));
  it('fault 8: fails half of each batch costs no figure', () =>
    costsNoFigure([
      ['half', 'upstream_rate_limited'],
      ['half-429', 'upstream_rate_limited'],
    ]));
  it('fault 10: limits the rate, whatever it says of when to come back, costs no figure', () =>
    costsNoFigure([
      ['r429-0', 'upstream_rate_limited'],
      ['r429-seconds', 'upstream_rate_limited'],
      ['r429-date', 'upstream_rate_limited'],
      ['r429-garbage', 'upstream_rate_limited'],
      ['r429-negative', 'upstream_rate_limited'],
    ]));
  it('fault 11: refuses our credentials costs no figure', () =>
    costsNoFigure([
      ['status-401', 'upstream_unauthorized'],
      ['status-402', 'upstream_unauthorized'],
      ['status-403', 'upstream_unauthorized'],
    ]));
  it('fault 20: resets every connection costs no figure', () => costsNoFigure([['reset', 'upstream_unreachable']]));
  it('fault 21: redirects costs no figure', () => costsNoFigure([['redirect', 'upstream_redirect']]));
});

it('fault 6: garbage in the place of results is never taken for an amount', async () => {
  const garbage = [null, '', 'abc', '0xzz', '-0x1', 1.5, -1, true, {}, [], [null], '1'.repeat(5_000)];
  for (const result of garbage) {
    between.intercept = ({ method }) => (method === 'eth_call' || method === 'eth_getBalance' ? { result } : undefined);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    expect(portfolio, JSON.stringify(result)).toMatchObject({ total_value: WHOLE, complete: false });
    expect(sourceOf(portfolio, 'base').status).toBe('ok');
  }
  between.intercept = () => undefined;
  await becomesWhole();
}, 60_000);

it('fault 9: an endpoint that takes no batches, or small ones only, is read all the same', async () => {
  between.intercept = onlyFrom('single');
  for (const mode of ['batch-refused', 'batch-413', 'batch-400', 'batch-null-id', 'batch-of-10'] as const) {
    lone.setMode(mode);
    await becomesWhole();
  }
  lone.setMode('ok');
  between.intercept = () => undefined;
}, 120_000);

it('fault 12: a node whose chain id changes under us is not believed until it is ours again', async () => {
  await stack.ethereum.rpc('anvil_setChainId', [0x89]);
  await stack.ethereum.setNative(ALICE, 7n * 10n ** 18n);
  await expect
    .poll(async () => {
      await stack.refresh();
      return sourceOf(await stack.get('/portfolio'), 'ethereum');
    })
    .toMatchObject({ status: 'stale', error: { code: 'upstream_wrong_chain' } });
  expect((await stack.get('/portfolio')).total_value).toBe(WHOLE);
  await stack.ethereum.setNative(ALICE, 2n * 10n ** 18n);
  await stack.ethereum.rpc('anvil_setChainId', [1]);
  await becomesWhole();
}, 90_000);

it('fault 16: a chain without any endpoint left costs only itself, and little time', async () => {
  lone.setMode('reset');
  const startedAt = performance.now();
  const refresh = await stack.refresh();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(refresh.sources.map((source: Body) => [source.chain, source.status])).toEqual([
    ['ethereum', 'failed'],
    ['base', 'ok'],
  ]);
  const portfolio = await stack.get('/portfolio');
  expect(portfolio).toMatchObject({ total_value: WHOLE, complete: false });
  expect(portfolio.by_chain.map((group: Body) => [group.chain, group.complete])).toEqual([
    ['ethereum', false],
    ['base', true],
  ]);
  lone.setMode('ok');
  await becomesWhole();
}, 90_000);

it('fault 20: a closed port, a name that does not exist and a certificate nobody vouches for are told by name', async () => {
  const selfSigned = createServer(SELF_SIGNED).listen(0, '127.0.0.1');
  await new Promise((resolve) => selfSigned.once('listening', resolve));
  const { port } = selfSigned.address() as AddressInfo;
  const own = await startTestStack(async () => ({
    OPTIMISM_RPC_URLS: 'http://127.0.0.1:1',
    ARBITRUM_RPC_URLS: 'http://no-such-host.invalid',
    POLYGON_RPC_URLS: `https://127.0.0.1:${port}/${KEY}`,
  }));
  await own.post('/wallets', { address: ALICE, chain: ['optimism', 'arbitrum', 'polygon'] }, 201);
  await own.refresh();
  const portfolio = await own.get('/portfolio');
  // fault 17, cold: nothing was ever read, and nothing is what is said: no zero.
  expect(portfolio).toMatchObject({ total_value: null, complete: false });
  expect(portfolio.sources.map((source: Body) => [source.status, source.error?.code])).toEqual(
    Array.from({ length: 3 }, () => ['failed', 'upstream_unreachable']),
  );
  await own.close();
  selfSigned.closeAllConnections();
  selfSigned.close();
}, 60_000);

it('fault 17: with every chain down the last figures are told with their age, and a new wallet has none', async () => {
  lone.setMode('reset');
  backed.setMode('reset');
  await base.stop();
  await stack.refresh();
  const portfolio = await stack.get('/portfolio');
  expect(portfolio).toMatchObject({ total_value: WHOLE, complete: false, stale_value_share: '1' });
  for (const chain of ['ethereum', 'base']) {
    expect(sourceOf(portfolio, chain)).toMatchObject({ status: 'stale', age_seconds: expect.any(Number) });
  }
  const { id } = await stack.post('/wallets', { address: '0x00000000000000000000000000000000000000b0' }, 201);
  await stack.refresh();
  const fresh = await stack.get(`/portfolio?wallet_id=${id}`);
  expect(fresh).toMatchObject({ total_value: null, complete: false });
}, 90_000);
