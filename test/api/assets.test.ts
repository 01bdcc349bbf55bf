import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { AssetPatch } from '../../src/services/asset-service.ts';
import { buildAsset, buildPrice, buildSettings, MISSING_PRICE, NOW } from '../support/builders.ts';
import { buildAssetView } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const ASSET_ID = buildAsset().id;
const CAIP19 = 'eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';

describe('assets', () => {
  it('are shown with their identity, their price and the settings of the owner', async () => {
    const view = buildAssetView({
      settings: buildSettings({ trackedAt: NOW, manualPrice: { value: '0.25', setAt: NOW } }),
      price: MISSING_PRICE,
      spam: { isSpam: true, reasons: ['impersonation'], decidedBy: 'owner' },
    });
    const answer = await createTestApi({ assets: { get: async () => view } }).call('GET', `/assets/${ASSET_ID}`);
    expect(answer.body).toEqual({
      id: ASSET_ID,
      asset_id: CAIP19,
      chain: 'ethereum',
      token_address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48',
      token_symbol: 'USDC',
      token_name: 'USD Coin',
      decimals: 6,
      standard: 'erc20',
      listed: true,
      tracked: true,
      flags: [],
      spam: { is_spam: true, reasons: ['impersonation'], decided_by: 'owner' },
      price: { value: null, currency: 'USD', status: 'missing', source: null, quoted_at: null, reason: 'not_quoted' },
      manual_price: { value: '0.25', set_at: '2026-11-21T12:00:00.000Z' },
    });
  });

  it('can be asked for by their CAIP-19 id', async () => {
    const get = vi.fn(async (_tenant: string, _id: string) => buildAssetView());
    const answer = await createTestApi({ assets: { get } }).call('GET', `/assets/${encodeURIComponent(CAIP19)}`);
    expect(answer.status).toBe(200);
    expect(get.mock.calls[0]?.[1]).toBe(CAIP19);
  });

  it('stay readable when their chain is known no more', async () => {
    const view = buildAssetView({ asset: buildAsset({ chain: 'sunken' }) });
    const answer = await createTestApi({ assets: { get: async () => view } }).call('GET', `/assets/${ASSET_ID}`);
    expect(answer.body.asset_id).toBe(ASSET_ID);
  });

  it.each([
    [true, 201],
    [false, 200],
  ])('are added (%s) with %i', async (created, status) => {
    const add = vi.fn(async () => ({ ...buildAssetView(), created }));
    const body = { chain: 'ethereum', address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48' };
    const answer = await createTestApi({ assets: { add } }).call('POST', '/assets', { body });
    expect(answer.status).toBe(status);
    expect(answer.headers.location).toBe(`/api/v1/assets/${ASSET_ID}`);
    expect(add).toHaveBeenCalledWith('tenant', body, expect.any(AbortSignal));
  });

  it('are listed page by page', async () => {
    const list = vi.fn(async (_tenant: string, options: { afterId: string | null }) => ({
      assets: [buildAssetView()],
      nextId: options.afterId === null ? ASSET_ID : null,
    }));
    const api = createTestApi({ assets: { list } });
    const first = await api.call('GET', '/assets?limit=1&chain=ethereum');
    const second = await api.call('GET', `/assets?limit=1&chain=ethereum&cursor=${first.body.next_cursor}`);
    expect(second.body.next_cursor).toBeNull();
    expect(list.mock.calls.map(([, options]) => options)).toEqual([
      { limit: 1, afterId: null, chain: 'ethereum', includeSpam: false },
      { limit: 1, afterId: ASSET_ID, chain: 'ethereum', includeSpam: false },
    ]);
  });

  it('refuse the cursor of another list', async () => {
    const api = createTestApi({
      wallets: { list: async () => ({ wallets: [], next: { createdAt: NOW, id: ASSET_ID } }) },
    });
    const { body } = await api.call('GET', '/wallets');
    expect((await api.call('GET', `/assets?cursor=${body.next_cursor}`)).status).toBe(400);
  });

  it.each<[object, Omit<AssetPatch, 'ifVersion'>]>([
    [{ spam: true }, { spam: 'spam' }],
    [{ spam: false }, { spam: 'not_spam' }],
    [{ spam: null }, { spam: null }],
    [{ manual_price: '0.000000000000000000000000000001' }, { manualPrice: '0.000000000000000000000000000001' }],
    [
      { manual_price: null, spam: true },
      { manualPrice: null, spam: 'spam' },
    ],
  ])('are changed by %j and nothing else', async (body, patch) => {
    const update = vi.fn(async (_tenant: string, _id: string, _patch: AssetPatch) => buildAssetView());
    expect((await createTestApi({ assets: { update } }).call('PATCH', `/assets/${ASSET_ID}`, { body })).status).toBe(200);
    expect(update.mock.calls[0]?.[2]).toEqual({ ...patch, ifVersion: null });
  });

  it.each([{}, { manual_price: 1 }, { manual_price: '-1' }, { manual_price: '1e9' }, { manual_price: 'NaN' }, { price: '1' }])(
    'are not changed by %j',
    async (body) => {
      expect((await createTestApi().call('PATCH', `/assets/${ASSET_ID}`, { body })).status).toBe(400);
    },
  );

  it('are followed no more after a DELETE', async () => {
    const untrack = vi.fn(async () => undefined);
    expect((await createTestApi({ assets: { untrack } }).call('DELETE', `/assets/${ASSET_ID}`)).status).toBe(204);
    expect(untrack).toHaveBeenCalledWith('tenant', ASSET_ID, null);
  });

  it('have a held back price accepted as it was seen', async () => {
    const acceptPrice = vi.fn(async (_tenant: string, _id: string, value: string) => {
      if (value !== '1.5') throw new AppError('conflict', 'Another price is quoted now.');
      return buildAssetView({ price: buildPrice() });
    });
    const api = createTestApi({ assets: { acceptPrice } });
    expect((await api.call('POST', `/assets/${ASSET_ID}/accept-price`, { body: { value: '1.5' } })).status).toBe(200);
    const late = await api.call('POST', `/assets/${ASSET_ID}/accept-price`, { body: { value: '1.4' } });
    expect(late.status).toBe(409);
    expect(late.body).toMatchObject({ code: 'conflict', detail: 'Another price is quoted now.' });
  });
});
