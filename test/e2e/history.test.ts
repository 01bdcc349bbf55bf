import { afterAll, beforeAll, expect, it } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const PATIENCE = { timeout: 60_000, interval: 250 };

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(async () => ({
    EMBEDDED_WORKER: 'true',
    REFRESH_INTERVAL_SECONDS: '86400',
    SNAPSHOT_INTERVAL_SECONDS: '10',
  }));
  const { ethereum, prices } = stack;
  await deployAt(ethereum, USDC, { name: 'Token', types: ['string', 'string', 'uint8'], values: ['USD Coin', 'USDC', 6] });
  await ethereum.setBalance(USDC, ALICE, 250_000_000n);
  await ethereum.setNative(ALICE, 2n * 10n ** 18n);
  prices.setPrice('coingecko:ethereum', '3000');
  prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '1');
  prices.setRate('usd', '100000');
  prices.setRate('eur', '90000');
  prices.setRate('btc', '1');
  prices.setRate('eth', '40');
});
afterAll(() => stack.close());

const history = (query = ''): Promise<Body> => stack.get(`/portfolio/history?interval=1M${query}`);
const last = async (query = ''): Promise<Body> => (await history(query)).points.at(-1);

it('writes down by itself what is held, and tells it by today’s word', async () => {
  expect(await last()).toMatchObject({ at: null, value: null, value_reason: 'no_snapshot' });
  const wallet = await stack.post('/wallets', { address: ALICE }, 201);
  await stack.refresh();
  await expect.poll(async () => (await last()).value, PATIENCE).toBe('6250');
  expect(await last()).toMatchObject({ complete: true, carried_forward: false, unfinished: true, missing: [] });
  expect((await last('&currency=eur')).value).toBe('5625');

  const byAsset = await history('&series=asset');
  expect(byAsset.series.map(({ asset, points }: Body) => [asset.token_symbol, points.at(-1).value])).toEqual([
    ['ETH', '6000'],
    ['USDC', '250'],
  ]);
  const byWallet = await history('&series=wallet');
  expect(byWallet.series.map(({ wallet_id: id, points }: Body) => [id, points.at(-1).value])).toEqual([[wallet.id, '6250']]);
  const usdc = byAsset.series[1].asset;
  expect((await last(`&asset_id=${encodeURIComponent(usdc.asset_id)}`)).value).toBe('250');

  const first = (await last()).at;
  await stack.patch(`/assets/${usdc.asset_uuid}`, { spam: true });
  const past = await history();
  expect(past.excluded_count).toBe(1);
  expect(past.points.find(({ at }: Body) => at !== null)).toMatchObject({ value: '6000' });
  await stack.patch(`/assets/${usdc.asset_uuid}`, { spam: false, manual_price: '2' });
  expect((await history()).points.find(({ at }: Body) => at !== null)).toMatchObject({ value: '6500' });

  // Bitcoin and ether have prices from the first snapshot on, whoever holds them.
  expect(await stack.get('/portfolio/performance?period=all')).toMatchObject({
    end_value: '6500',
    allocation: { by_wallet: [{ wallet_id: wallet.id, value: '6500', share: '1' }] },
    benchmark: { starts_at: expect.any(String), unpriced_parts: [] },
  });

  await stack.delete(`/wallets/${wallet.id}`);
  await expect.poll(async () => (await last()).value, PATIENCE).toBe('0');
  const csv = await fetch(`${stack.url}/api/v1/portfolio/history?interval=1M`, { headers: { accept: 'text/csv' } });
  expect(csv.headers.get('content-type')).toContain('text/csv');
  expect((await csv.text()).trim().split('\r\n').at(-1)).toMatch(/^total,,,,.*,USD,0,0,,true,false,true,0,0$/);
  const gone = await history(`&wallet_id=${wallet.id}&fill=previous`);
  expect(gone.points.at(-1)).toMatchObject({ value: '0' });
  expect(new Date(gone.points.at(-1).at).getTime()).toBeGreaterThan(new Date(first).getTime());
}, 150_000);

it('says why the value changed, from the first snapshot to the last', async () => {
  const changes = await stack.get('/portfolio/changes?from=2026-01-01');
  expect(changes).toMatchObject({
    from: { snapshot_at: null, value: '0' },
    to: { value: '0', chart_value: '0' },
    difference: '0',
    parts: { wallet_added: '6500', wallet_removed: '-6500', unexplained: '0' },
  });
  expect(changes.groups.map(({ asset, parts }: Body) => [asset.token_symbol, parts.wallet_removed]).sort()).toEqual([
    ['ETH', '-6000'],
    ['USDC', '-500'],
  ]);
  expect(await stack.refuse('/statements?date=2026-01-01')).toMatchObject({ status: 404, code: 'snapshot_not_found' });
});
