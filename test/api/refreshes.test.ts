import { describe, expect, it, vi } from 'vitest';
import type { RefreshScope } from '../../src/domain/refresh.ts';
import { buildRefresh, REFRESH_ID, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

type RefreshOptions = { readonly waitMs: number; readonly signal: AbortSignal };

function spyRefresh(result = buildRefresh()) {
  return vi.fn(async (_tenant: string, _scope: RefreshScope, _options: RefreshOptions) => result);
}

const running = buildRefresh({
  status: 'running',
  finishedAt: null,
  sources: [
    { walletId: WALLET_ID, chain: 'ethereum', kind: 'balances', status: 'ok', error: null },
    {
      walletId: WALLET_ID,
      chain: 'base',
      kind: 'balances',
      status: 'failed',
      error: { code: 'upstream_timeout', provider: 'rpc.example' },
    },
    { walletId: WALLET_ID, chain: 'solana', kind: 'stake', status: 'pending', error: null },
  ],
});

describe.each(['/portfolio/refresh', `/wallets/${WALLET_ID}/fetch`])('POST %s', (path) => {
  it.each([
    [undefined, 10_000, undefined],
    ['wait=0', 0, 'wait=0'],
    ['wait=30', 30_000, 'wait=30'],
    ['wait=61', 60_000, 'wait=60'],
    ['respond-async', 0, 'respond-async'],
    ['respond-async, wait=5', 5_000, 'respond-async, wait=5'],
    ['return=minimal', 10_000, undefined],
    ['wait=soon', 10_000, undefined],
  ])('waits as told by Prefer: %s', async (prefer, waitMs, applied) => {
    const refresh = spyRefresh();
    const headers: Record<string, string> = prefer === undefined ? {} : { Prefer: prefer };
    const answer = await createTestApi({ refreshes: { refresh } }).call('POST', path, { headers });

    expect(answer.status).toBe(200);
    expect(answer.headers['preference-applied']).toBe(applied);
    expect(refresh.mock.calls[0]?.[2].waitMs).toBe(waitMs);
  });

  it('answers 202 with the place of a refresh that goes on', async () => {
    const answer = await createTestApi({ refreshes: { refresh: spyRefresh(running) } }).call('POST', path);

    expect(answer.status).toBe(202);
    expect(answer.headers.location).toBe(`/api/v1/refreshes/${REFRESH_ID}`);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).toMatchObject({ id: REFRESH_ID, status: 'running', progress: { done: 2, total: 3 } });
    expect(answer.body.sources[1].error).toEqual({ code: 'upstream_timeout', provider: 'rpc.example' });
  });

  it('answers an interrupted refresh with 200, for nothing more will come of it', async () => {
    const refresh = spyRefresh(buildRefresh({ status: 'interrupted' }));
    expect((await createTestApi({ refreshes: { refresh } }).call('POST', path)).status).toBe(200);
  });

  it('stops waiting when the service stops', async () => {
    const stopping = new AbortController();
    const refresh = vi.fn(async (_tenant: string, _scope: RefreshScope, { signal }: RefreshOptions) => {
      setImmediate(() => stopping.abort());
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return running;
    });
    const answer = await createTestApi({ refreshes: { refresh } }, { stopSignal: stopping.signal }).call('POST', path);
    expect(answer.status).toBe(202);
  });
});

describe('the scope of a refresh', () => {
  it('is one wallet for its fetch', async () => {
    const refresh = spyRefresh();
    await createTestApi({ refreshes: { refresh } }).call('POST', `/wallets/${WALLET_ID}/fetch`);
    expect(refresh.mock.calls[0]?.[1]).toEqual({ walletIds: [WALLET_ID], chains: null });
  });

  it.each<[object | undefined, RefreshScope]>([
    [undefined, { walletIds: null, chains: null }],
    [{}, { walletIds: null, chains: null }],
    [{ chains: ['base'] }, { walletIds: null, chains: ['base'] }],
    [
      { wallet_ids: [WALLET_ID], chains: null },
      { walletIds: [WALLET_ID], chains: null },
    ],
  ])('is read from %j', async (body, scope) => {
    const refresh = spyRefresh();
    const answer = await createTestApi({ refreshes: { refresh } }).call(
      'POST',
      '/portfolio/refresh',
      body === undefined ? {} : { body },
    );
    expect(answer.status).toBe(200);
    expect(refresh.mock.calls[0]?.[1]).toEqual(scope);
  });

  it.each([{ chain: ['base'] }, { chains: [] }, { wallet_ids: ['1'] }])('is refused as %j', async (body) => {
    expect((await createTestApi().call('POST', '/portfolio/refresh', { body })).status).toBe(400);
  });
});

describe('GET /refreshes/{id}', () => {
  it('says when to look again while it runs', async () => {
    const api = createTestApi({ refreshes: { get: async () => running } });
    expect((await api.call('GET', `/refreshes/${REFRESH_ID}`)).headers['retry-after']).toBe('1');
  });

  it('says nothing of it when it has ended', async () => {
    const api = createTestApi({ refreshes: { get: async () => buildRefresh() } });
    const answer = await api.call('GET', `/refreshes/${REFRESH_ID}`);
    expect(answer.headers['retry-after']).toBeUndefined();
    expect(answer.body).toMatchObject({ status: 'finished', progress: { done: 1, total: 1 } });
  });
});
