import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { deployOddTokens } from '../../localnet/evm/odd-tokens.ts';
import type { PriceFault } from '../../localnet/price-server.ts';
import { TOKEN_PROGRAM } from '../../src/adapters/solana/programs.ts';
import { UINT256_MAX } from '../../src/domain/amount.ts';
import { accountBytes } from '../adapters/solana/solana-setup.ts';
import { request } from '../support/request.ts';
import { isolatedEnvironment, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const MIB = 1024 * 1024;
const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const MALLORY = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
  await deployAt(stack.ethereum, USDC, { name: 'Token', types: ['string', 'string', 'uint8'], values: ['USD Coin', 'USDC', 6] });
  await stack.ethereum.setBalance(USDC, ALICE, 250_000_000n);
  await stack.ethereum.setNative(ALICE, 2n * 10n ** 18n);
  stack.prices.setPrice('coingecko:ethereum', '3000');
  stack.prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '1');
  await stack.post('/wallets', { address: ALICE }, 201);
  await stack.refresh();
});
afterAll(() => stack.close());

describe('a price source that', () => {
  it.each<[string, PriceFault]>([
    ['is down', 'down'],
    ['sends HTML', 'html'],
    ['breaks off', 'truncated'],
    ['limits the rate', 'status-429'],
    ['sends zero', 'value:0'],
    ['sends a negative price', 'value:-1'],
    ['sends an absurd price', 'value:1e30'],
    ['sends NaN', 'value:"NaN"'],
    ['sends null', 'value:null'],
    ['answers in another currency', 'wrong-currency'],
    ['sends a price of last week', 'old'],
  ])('fault 22: %s leaves the last price, and names itself when there is none', async (_, fault) => {
    // DefiLlama names no currency: there it says that it is not sure.
    stack.prices.setFault('defillama', fault === 'wrong-currency' ? 'unsure' : fault);
    stack.prices.setFault('coingecko', fault);
    await stack.refresh();
    expect((await stack.get('/portfolio')).total_value).toBe('6250');
    const token = await stack.ethereum.deploy('Token', ['string', 'string', 'uint8'], ['New', 'NEWTOKEN', 18]);
    stack.prices.setPrice(`ethereum:${token.toLowerCase()}`, '4');
    await stack.ethereum.setBalance(token, ALICE, 10n ** 18n);
    const { id } = await stack.post('/assets', { chain: 'ethereum', address: token }, 201);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({
      total_value: '6250',
      complete: false,
      incomplete_reasons: ['unpriced'],
      unpriced_count: 1,
    });
    const unpriced = portfolio.by_asset.find((asset: Body) => asset.token_address === token);
    expect(unpriced).toMatchObject({ balance: '1', value: null, price: { value: null, status: 'missing' } });
    const named = portfolio.sources
      .filter((source: Body) => source.kind === 'prices')
      .map((source: Body) => source.error.provider);
    expect(named).toSatisfy((names: string[]) => names.includes('defillama') || names.includes('coingecko'));
    stack.prices.setFault('defillama', 'none');
    stack.prices.setFault('coingecko', 'none');
    await stack.patch(`/assets/${id}`, { spam: true });
  });
});

it('fault 23: hostile tokens cost the rest of the wallet nothing, and are told as they are', async () => {
  const tokens = (await deployOddTokens(stack.ethereum)).filter(({ isToken, isSettable }) => isToken && isSettable);
  await stack.ethereum.setNative(MALLORY, 3n * 10n ** 18n);
  const wallet = await stack.post('/wallets', { address: MALLORY }, 201);
  for (const { address } of tokens) {
    await stack.ethereum.setBalance(address, MALLORY, UINT256_MAX);
    await stack.post('/assets', { chain: 'ethereum', address }, 201);
  }
  const refresh = await stack.refresh();
  expect(new Set(refresh.sources.map((source: Body) => source.status))).toEqual(new Set(['ok']));
  const portfolio = await stack.get(`/portfolio?wallet_id=${wallet.id}&include=spam`);
  expect(portfolio.total_value).toBe('9000');
  for (const { address, oddity, symbol, reads } of tokens) {
    const asset = portfolio.by_asset.find((entry: Body) => entry.token_address?.toLowerCase() === address.toLowerCase());
    expect(asset, oddity).toMatchObject({ token_symbol: symbol, balance_raw: reads(UINT256_MAX)?.toString(), value: null });
  }
}, 60_000);

it('fault 24: a wallet of 20,000 token accounts is read whole, in little memory', async () => {
  const whale = stack.solana.address('whale');
  stack.solana.setSol(whale, 1_000_000_000n);
  stack.prices.setPrice('coingecko:solana', '100');
  for (let n = 0; n < 20_000; n += 1) {
    const mint = stack.solana.address(`mint ${n % 10_000}`);
    stack.solana.setData(
      stack.solana.address(`account ${n}`),
      TOKEN_PROGRAM,
      accountBytes({ mint, owner: whale, amount: BigInt(n) }),
    );
  }
  const database = await createTestDatabase();
  // A process of its own: the local chain works hard in this one.
  const service = await startServiceProcess({
    environment: isolatedEnvironment({
      DATABASE_URL: database.url,
      SOLANA_RPC_URLS: stack.solana.rpcUrl,
      DEFILLAMA_URL: stack.prices.defillamaUrl,
    }),
  });
  onTestFinished(async () => {
    await service.kill();
    await database.close();
  });
  const api = request(`${service.url}/api/v1`);
  const { id } = (await api.post('/wallets').send({ address: whale }).expect(201)).body;
  const before = service.rssBytes();
  const { body: started } = await api.post(`/wallets/${id}/fetch`).set('prefer', 'wait=0').send({}).expect(202);
  const status = async (): Promise<string> => (await api.get(`/refreshes/${started.id}`)).body.status;
  await expect.poll(status, { timeout: 120_000 }).toBe('finished');
  const { body: portfolio } = await api.get(`/portfolio?wallet_id=${id}&include=spam`).expect(200);
  expect(portfolio.by_asset).toHaveLength(10_001);
  expect(portfolio.total_value).toBe('100');
  expect(service.rssBytes() - before).toBeLessThan(400 * MIB);
}, 180_000);
