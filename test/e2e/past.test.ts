import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { addDays, type Day, dayOf, endOfDay } from '../../src/domain/backfill.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const PATIENCE = { timeout: 60_000, interval: 100 };
const DAYS = 6;
const TODAY = dayOf(new Date());
const FIRST = addDays(TODAY, -DAYS);
/** Noon of the day so many days after the first one. */
const noon = (day: number): Date => new Date(endOfDay(addDays(FIRST, day)).getTime() - 43_200_000 + 1);
const ETHER = 10n ** 18n;

let chain: LocalChain;
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

async function backfilled(): Promise<Body> {
  await expect.poll(async () => (await stack.get(`/wallets/${wallet.id}/backfill`)).status, PATIENCE).toBe('finished');
  return stack.get(`/wallets/${wallet.id}/backfill`);
}

const chart = async (query = ''): Promise<Body> =>
  stack.get(`/portfolio/history?from=${FIRST}&to=${TODAY}&interval=1d${query}`);

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 1, genesisAt: new Date(noon(0).getTime() - 3_600_000) });
  stack = await startTestStack(async () => ({ ETHEREUM_RPC_URLS: chain.rpcUrl }));
  await live();
  quotePast();
  await stack.post('/assets', { chain: 'ethereum', address: token }, 201);
  wallet = await stack.post('/wallets', { address: ALICE }, 201);
}, 120_000);
afterAll(async () => {
  await stack.close();
  await chain.stop();
});

describe('the past of a wallet', () => {
  it('is not known before it is asked for', async () => {
    expect(await stack.refuse(`/wallets/${wallet.id}/backfill`)).toMatchObject({ code: 'backfill_not_found' });
    expect(await stack.post(`/wallets/${wallet.id}/backfill`, { from: TODAY }, 400)).toMatchObject({ code: 'invalid_request' });
  });

  it('is read from the chain to the last digit, with the prices of its days', async () => {
    const started = await stack.post(`/wallets/${wallet.id}/backfill`, { from: FIRST }, 202);
    expect(started).toMatchObject({ from: FIRST, through: addDays(TODAY, -1), progress: { total: DAYS } });
    const done = await backfilled();
    expect(done).toMatchObject({
      progress: { done: DAYS, total: DAYS },
      chains: [{ chain: 'ethereum', status: 'ok', reached: FIRST, error: null }],
      price_error: null,
    });
    const { points } = await chart();
    expect(points.map((point: Body) => point.usd_value)).toEqual(['0', '2002', '2254', '3256', '3112', '3115']);
    expect(points.every((point: Body) => point.complete)).toBe(true);
  });

  it('changes nothing when it is read again', async () => {
    const before = await chart('&series=asset');
    await stack.post(`/wallets/${wallet.id}/backfill`, { from: FIRST }, 202);
    await backfilled();
    const after = await chart('&series=asset');
    expect({ ...after, generated_at: '' }).toEqual({ ...before, generated_at: '' });
  });
});
