import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { currencyFeeds } from '../../src/adapters/chainlink/chainlink-feeds.ts';
import { addDays, type Day, dayOf, endOfDay } from '../../src/domain/history/backfill.ts';
import { putFeed } from '../adapters/chainlink/chainlink-setup.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const BOB = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
const PATIENCE = { timeout: 60_000, interval: 100 };
const DAYS = 6;
const TODAY = dayOf(new Date());
const FIRST = addDays(TODAY, -DAYS);
/** Noon of the day so many days after the first one. */
const noon = (day: number): Date => new Date(endOfDay(addDays(FIRST, day)).getTime() - 43_200_000 + 1);
const EURO_FEED = currencyFeeds.EUR ?? '';
const ETHER = 10n ** 18n;

let chain: LocalChain;
let endpoint: FaultServer;
let stack: TestStack;
let token: string;
let wallet: Body;

async function pay(to: string, amount: bigint): Promise<void> {
  const accounts: Body = await chain.rpc('eth_accounts', []);
  await chain.rpc('eth_sendTransaction', [{ from: accounts[1], to, value: `0x${amount.toString(16)}` }]);
}

/** Two ether on the second day, one more on the fourth; 500 tokens on the third, of which 300 went on the fifth. */
async function live(): Promise<void> {
  token = await chain.deploy('Token', ['string', 'string', 'uint8'], ['Token', 'TKN', 2]);
  for (let day = 1; day < DAYS; day += 1) {
    await chain.mineAt(noon(day));
    if (day === 1) await pay(ALICE, 2n * ETHER);
    if (day === 2) await chain.setBalance(token, ALICE, 50_000n);
    if (day === 3) await pay(ALICE, ETHER);
    if (day === 4) await chain.setBalance(token, ALICE, 20_000n);
    // A euro is 1.25 dollars from the fourth day on.
    if (day === 3) await putFeed(chain, { address: EURO_FEED, decimals: 8, answer: 0n });
    if (day >= 3) await chain.send(EURO_FEED, 'set(int256,uint256)', [125_000_000n, BigInt(noon(day).getTime() / 1000)]);
  }
  await chain.mineAt(new Date());
}

function quotePast(): void {
  const { prices } = stack;
  const before = (day: Day, minutes: number): Date => new Date(endOfDay(day).getTime() - minutes * 60_000);
  for (let day = 0; day < DAYS; day += 1) {
    // A price of the next day is of no use for this one; on the fourth day there is none but an old one.
    prices.setPastPrice('coingecko:ethereum', before(addDays(FIRST, day), -2), '9999');
    if (day !== 3) prices.setPastPrice('coingecko:ethereum', before(addDays(FIRST, day), 20), String(1000 + day));
    prices.setPastPrice(`ethereum:${token.toLowerCase()}`, before(addDays(FIRST, day), 300), '0.5');
  }
}

async function backfilled(id: string): Promise<Body> {
  await expect.poll(async () => (await stack.get(`/wallets/${id}/backfill`)).status, PATIENCE).toBe('finished');
  return stack.get(`/wallets/${id}/backfill`);
}

const chart = async (query = ''): Promise<Body> => stack.get(`/portfolio/history?from=${FIRST}&to=${TODAY}&interval=1d${query}`);

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 1, genesisAt: new Date(noon(0).getTime() - 3_600_000) });
  endpoint = await startFaultServer({ upstreamUrl: chain.rpcUrl });
  stack = await startTestStack(async () => ({ ETHEREUM_RPC_URLS: endpoint.url() }));
  await live();
  quotePast();
  await stack.post('/assets', { chain: 'ethereum', address: token }, 201);
  wallet = await stack.post('/wallets', { address: ALICE }, 201);
}, 120_000);
afterAll(async () => {
  await stack.close();
  await Promise.all([chain.stop(), endpoint.close()]);
});

describe('the past of a wallet', () => {
  it('is not known before it is asked for', async () => {
    expect(await stack.refuse(`/wallets/${wallet.id}/backfill`)).toMatchObject({ code: 'backfill_not_found' });
    expect(await stack.post(`/wallets/${wallet.id}/backfill`, { from: TODAY }, 400)).toMatchObject({ code: 'invalid_request' });
  });

  it('is read from the chain to the last digit, with the prices of its days', async () => {
    const started = await stack.post(`/wallets/${wallet.id}/backfill`, { from: FIRST }, 202);
    expect(started).toMatchObject({ from: FIRST, through: addDays(TODAY, -1), progress: { total: DAYS } });
    const done = await backfilled(wallet.id);
    expect(done).toMatchObject({
      progress: { done: DAYS, total: DAYS },
      chains: [{ chain: 'ethereum', status: 'ok', reached: FIRST, error: null }],
      price_error: null,
      // On the fourth day ether was told at the price of the third.
      unpriced_count: 1,
    });
    const { points } = await chart();
    expect(points.map((point: Body) => point.usd_value)).toEqual(['0', '2002', '2254', '3256', '3112', '3115']);
    expect(points.map((point: Body) => point.complete)).toEqual([true, true, true, false, true, true]);
    // The day says itself that a price of it is old.
    expect(points[3].missing).toEqual([
      { wallet_id: null, chain: null, kind: 'prices', reason: 'stale', observed_at: expect.any(String), code: null },
    ]);
  });

  it('is told in another currency where its rate of then is known, and in none else', async () => {
    const { points } = await chart('&currency=EUR');
    expect(points.map((point: Body) => [point.value, point.value_reason])).toEqual([
      [null, 'fx_missing'],
      [null, 'fx_missing'],
      [null, 'fx_missing'],
      ['2604.8', null],
      ['2489.6', null],
      ['2492', null],
    ]);
  });

  it('changes nothing when it is read again', async () => {
    const before = await chart('&series=asset');
    await stack.post(`/wallets/${wallet.id}/backfill`, { from: FIRST }, 202);
    await backfilled(wallet.id);
    const after = await chart('&series=asset');
    expect({ ...after, generated_at: '' }).toEqual({ ...before, generated_at: '' });
  });
});

describe('what no endpoint can tell', () => {
  it('is said of a chain that keeps no past, at once', async () => {
    const { id } = await stack.post('/wallets', { address: stack.solana.address('carol') }, 201);
    expect(await stack.post(`/wallets/${id}/backfill`, { from: FIRST }, 202)).toMatchObject({
      status: 'finished',
      through: null,
      progress: { done: 0, total: 0 },
      chains: [{ chain: 'solana', status: 'unsupported', reached: null, error: { code: 'upstream_unsupported' } }],
    });
  });

  it('is said of endpoints that keep none, and the past stays as it was', async () => {
    const before = await chart();
    endpoint.setMode('no-past');
    const bob = await stack.post('/wallets', { address: BOB }, 201);
    await stack.post(`/wallets/${bob.id}/backfill`, { from: FIRST }, 202);
    expect(await backfilled(bob.id)).toMatchObject({
      progress: { done: 0, total: DAYS },
      chains: [{ chain: 'ethereum', status: 'unsupported', reached: null, error: { code: 'upstream_no_history' } }],
    });
    expect((await chart()).points).toEqual(before.points);
    // Reads of today go on.
    endpoint.setMode('ok');
    expect((await stack.refresh()).sources.map(({ status }: Body) => status)).toContain('ok');
  });
});
