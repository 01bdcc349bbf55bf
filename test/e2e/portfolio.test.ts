import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployAt } from '../../localnet/evm/deploy-at.ts';
import { setEnsName } from '../../localnet/evm/local-chain.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const USDC = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const TOKEN = { name: 'Token', types: ['string', 'string', 'uint8'] } as const;

let stack: TestStack;
let carol: string;

beforeAll(async () => {
  stack = await startTestStack();
  const { ethereum, solana, prices } = stack;
  await deployAt(ethereum, USDC, { ...TOKEN, values: ['USD Coin', 'USDC', 6] });
  await ethereum.setBalance(USDC, ALICE, 250_000_000n);
  await ethereum.setNative(ALICE, 2n * 10n ** 18n);
  await setEnsName(ethereum, 'alice.eth', ALICE);
  carol = solana.address('carol');
  solana.setSol(carol, 3_000_000_000n);
  await solana.setSolName('carol', carol);
  prices.setPrice('coingecko:ethereum', '3000');
  prices.setPrice('coingecko:solana', '150.5');
  prices.setPrice(`ethereum:${USDC.toLowerCase()}`, '0.999');
  prices.setRate('usd', '100000');
  prices.setRate('eur', '90000');
});
afterAll(() => stack.close());

function byAddress(portfolio: Body, chain: string, address: string | null): Body {
  return portfolio.by_asset.find((asset: Body) => asset.chain === chain && asset.token_address === address);
}

describe('from an empty service to a portfolio of both chains', () => {
  it('is empty and complete before anything is added', async () => {
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({ total_value: '0', complete: true, by_asset: [], sources: [] });
  });

  it('adds wallets by name and by address, once', async () => {
    const alice = await stack.post('/wallets', { address: 'alice.eth', label: 'Alice' }, 201);
    expect(alice).toMatchObject({ address: ALICE, name: 'alice.eth', label: 'Alice', chains: ['ethereum'] });
    expect(await stack.post('/wallets', { address: ALICE.toLowerCase() }, 200)).toEqual(alice);
    const named = await stack.post('/wallets', { address: 'carol.sol' }, 201);
    expect(named).toMatchObject({ address: carol, chains: ['solana'] });
    expect(await stack.post('/wallets', { address: 'nobody.eth' }, 422)).toMatchObject({ code: 'name_not_found' });
  });

  it('says that nothing is known before the first refresh', async () => {
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({ total_value: null, complete: false, incomplete_reasons: ['source_never_read'] });
    expect(portfolio.sources.map((source: Body) => source.status)).toEqual(['never', 'never', 'never']);
  });

  it('reads both chains and adds them up exactly', async () => {
    const refresh = await stack.refresh();
    expect(refresh).toMatchObject({ status: 'finished', progress: { done: 3, total: 3 } });
    const portfolio = await stack.get('/portfolio');
    // 2 x 3000 + 250 x 0.999 + 3 x 150.5
    expect(portfolio).toMatchObject({ total_value: '6701.25', total_usd_value: '6701.25', complete: true });
    expect(byAddress(portfolio, 'ethereum', USDC)).toMatchObject({ balance_raw: '250000000', balance: '250', value: '249.75' });
    expect(portfolio.sources[0]).toMatchObject({ status: 'ok', block: { hash: expect.stringMatching(/^0x[0-9a-f]{64}$/) } });
    const shares = portfolio.by_chain.map((group: Body) => [group.chain, group.usd_value]);
    expect(shares).toEqual([
      ['ethereum', '6249.75'],
      ['solana', '451.5'],
    ]);
  });

  it('tells the value in another currency, and null for one without a rate', async () => {
    expect(await stack.get('/portfolio?currency=eur')).toMatchObject({
      currency: 'EUR',
      total_value: '6031.125',
      complete: true,
    });
    const unknown = await stack.get('/portfolio?currency=XXX');
    expect(unknown).toMatchObject({ total_value: null, total_usd_value: '6701.25', incomplete_reasons: ['fx_missing'] });
  });

  it('answers at once with 202 when told not to wait, and the refresh can be followed', async () => {
    const started = await stack.post('/portfolio/refresh', {}, 202, { prefer: 'wait=0' });
    await expect.poll(async () => (await stack.get(`/refreshes/${started.id}`)).status).toBe('finished');
  });

  it('keeps the last amounts as stale when a chain stops answering', async () => {
    await stack.solana.stop();
    const refresh = await stack.refresh();
    const failed = refresh.sources.filter((source: Body) => source.chain === 'solana').map((source: Body) => source.status);
    expect(failed).toEqual(['failed', 'failed']);
    const portfolio = await stack.get('/portfolio');
    expect(portfolio).toMatchObject({ total_value: '6701.25', complete: false, incomplete_reasons: ['source_stale'] });
    expect(portfolio.stale_value_share).toBe('0.06737549');
    expect(byAddress(portfolio, 'solana', null).balances[0]).toMatchObject({ status: 'stale', balance: '3' });
    const source = portfolio.sources.find((entry: Body) => entry.chain === 'solana' && entry.kind === 'balances');
    expect(source).toMatchObject({ status: 'stale', error: { code: 'upstream_unreachable' } });
  });
});

describe('prices and the owner’s word', () => {
  it('counts an asset without any price as unpriced, not as zero', async () => {
    const odd = await stack.ethereum.deploy('Token', TOKEN.types, ['Odd', 'ODD', 18]);
    await stack.ethereum.setBalance(odd, ALICE, 5n * 10n ** 18n);
    await stack.post('/assets', { chain: 'ethereum', address: odd }, 201);
    await stack.post('/assets', { chain: 'ethereum', address: odd }, 200);
    const unread = await stack.get('/portfolio?chain=ethereum');
    expect(unread).toMatchObject({ complete: false, incomplete_reasons: ['asset_failed'] });
    expect(byAddress(unread, 'ethereum', odd)).toMatchObject({ balance: null, value: null });
    await stack.refresh();
    const asset = byAddress(await stack.get('/portfolio'), 'ethereum', odd);
    expect(asset).toMatchObject({ balance: '5', value: null, unpriced_count: 1, price: { value: null, status: 'missing' } });
  });

  it('holds an unlisted asset back that claims to be worth more than all the rest, until it is accepted', async () => {
    const scam = await stack.ethereum.deploy('Token', TOKEN.types, ['Moon', 'MOON', 18]);
    await stack.ethereum.setBalance(scam, ALICE, 10n ** 24n);
    stack.prices.setPrice(`ethereum:${scam.toLowerCase()}`, '9.5');
    const added = await stack.post('/assets', { chain: 'ethereum', address: scam }, 201);
    await stack.refresh();
    const before = await stack.get('/portfolio');
    expect(before).toMatchObject({ total_value: '6701.25', quarantined_count: 1 });
    expect(byAddress(before, 'ethereum', scam)).toMatchObject({ value: null, price: { value: '9.5', status: 'quarantined' } });
    expect(await stack.get(`/assets/${added.id}`)).toMatchObject({
      price: { status: 'quarantined', reason: 'unlisted_dominates' },
    });
    await stack.post(`/assets/${added.id}/accept-price`, { value: '9.4' }, 409);
    await stack.post(`/assets/${added.id}/accept-price`, { value: '9.5' }, 200);
    expect(await stack.get('/portfolio')).toMatchObject({ total_value: '9506701.25', quarantined_count: 0 });
    await stack.post(`/assets/${added.id}/accept-price`, { value: '9.5' }, 409);
    await stack.patch(`/assets/${added.id}`, { spam: true });
    expect(await stack.get('/portfolio')).toMatchObject({ total_value: '6701.25', spam_count: 1 });
    const shown = await stack.get('/portfolio?include=spam');
    expect(byAddress(shown, 'ethereum', scam)).toMatchObject({
      spam: { is_spam: true, decided_by: 'owner' },
      value: null,
    });
    const ids = (assets: Body): string[] => assets.assets.map((asset: Body) => asset.id);
    expect(ids(await stack.get('/assets'))).not.toContain(added.id);
    expect(ids(await stack.get('/assets?include=spam'))).toContain(added.id);
  });

  it('hides a token that passes itself off as a listed one, and the owner can overrule that', async () => {
    const fake = await stack.ethereum.deploy('Token', TOKEN.types, ['USD Coin', 'USDC', 6]);
    await stack.ethereum.setBalance(fake, ALICE, 1_000_000n);
    const added = await stack.post('/assets', { chain: 'ethereum', address: fake }, 201);
    await stack.refresh();
    expect(byAddress(await stack.get('/portfolio'), 'ethereum', fake)).toBeUndefined();
    await stack.patch(`/assets/${added.id}`, { spam: false, manual_price: '2' });
    const asset = byAddress(await stack.get('/portfolio'), 'ethereum', fake);
    expect(asset).toMatchObject({ value: '2', price: { status: 'manual', source: 'manual' } });
  });

  it('drops a token that is followed no more from every answer', async () => {
    const farm = await stack.ethereum.deploy('Token', TOKEN.types, ['Farm', 'FARM', 18]);
    await stack.ethereum.setBalance(farm, ALICE, 10n ** 18n);
    stack.prices.setPrice(`ethereum:${farm.toLowerCase()}`, '3');
    const { id } = await stack.post('/assets', { chain: 'ethereum', address: farm }, 201);
    await stack.refresh();
    expect(byAddress(await stack.get('/portfolio'), 'ethereum', farm)).toMatchObject({ value: '3' });
    await stack.delete(`/assets/${id}`);
    expect(byAddress(await stack.get('/portfolio?include=spam'), 'ethereum', farm)).toBeUndefined();
  });

  it('tells a chain that was never read in the groups too, without a value', async () => {
    const { wallets } = await stack.get('/wallets?chain=ethereum');
    for (const path of ['/wallets', '/assets', '/portfolio']) {
      expect(await stack.refuse(`${path}?chain=nowhere`)).toMatchObject({ status: 400, code: 'unknown_chain' });
    }
    await stack.post('/wallets', { address: ALICE, chain: ['ethereum', 'polygon'] }, 200);
    await stack.refresh();
    const portfolio = await stack.get('/portfolio');
    const polygon = portfolio.by_chain.find((group: Body) => group.chain === 'polygon');
    expect(polygon).toMatchObject({ value: null, usd_value: null, complete: false });
    const alice = portfolio.by_wallet.find((group: Body) => group.wallet_id === wallets[0].id);
    expect(alice).toMatchObject({ complete: false });
  });

  it('forgets a deleted wallet', async () => {
    const { wallets } = await stack.get('/wallets?chain=ethereum');
    await stack.delete(`/wallets/${wallets[0].id}`);
    const portfolio = await stack.get('/portfolio');
    expect(portfolio.by_chain.map((group: Body) => group.chain)).toEqual(['solana']);
  });
});
