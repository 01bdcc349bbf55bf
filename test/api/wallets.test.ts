import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { WalletInput } from '../../src/services/wallet-service.ts';
import { NOW } from '../support/builders.ts';
import { buildWallet, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const ADDRESS = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';

describe('POST /wallets', () => {
  it.each([
    [true, 201],
    [false, 200],
  ])('answers a wallet that is new (%s) with %i and its place', async (created, status) => {
    const add = vi.fn(async () => ({ wallet: buildWallet({ chains: ['base', 'ethereum'], label: 'Mine' }), created }));
    const api = createTestApi({ wallets: { add } });

    const answer = await api.call('POST', '/wallets', {
      body: { address: ADDRESS, chain: ['base', 'ethereum'], label: ' Mine ' },
    });

    expect(answer.status).toBe(status);
    expect(answer.headers.location).toBe(`/api/v1/wallets/${WALLET_ID}`);
    expect(answer.body).toEqual({
      id: WALLET_ID,
      address: ADDRESS,
      family: 'evm',
      chain: 'base',
      chains: ['base', 'ethereum'],
      name: null,
      label: 'Mine',
      created_at: '2026-11-21T12:00:00.000Z',
      updated_at: '2026-11-21T12:00:00.000Z',
    });
    expect(add).toHaveBeenCalledWith(
      'tenant',
      { address: ADDRESS, chains: ['base', 'ethereum'], label: 'Mine' },
      expect.any(AbortSignal),
    );
  });

  it.each<[object, Partial<WalletInput>]>([
    [{ address: ADDRESS }, { chains: null, label: null }],
    [{ address: ADDRESS, chain: 'base' }, { chains: ['base'] }],
    [{ address: ADDRESS, label: null }, { label: null }],
  ])('takes %j', async (body, expected) => {
    const add = vi.fn(async (_tenant: string, _input: WalletInput) => ({ wallet: buildWallet(), created: true }));
    await createTestApi({ wallets: { add } }).call('POST', '/wallets', { body });
    expect(add.mock.calls[0]?.[1]).toMatchObject(expected);
  });

  it.each<[unknown, string]>([
    [{}, '/body/address'],
    [{ address: 7 }, '/body/address'],
    [{ address: 'a'.repeat(256) }, '/body/address'],
    [{ address: ADDRESS, chain: 'Ethereum' }, '/body/chain'],
    [{ address: ADDRESS, chain: [] }, '/body/chain'],
    [{ address: ADDRESS, chains: ['base'] }, '/body/chains'],
    [{ address: ADDRESS, label: '   ' }, '/body/label'],
    [{ address: ADDRESS, label: 'a\u0000b' }, '/body/label'],
    [{ address: ADDRESS, label: '\ud800' }, '/body/label'],
    [[], '/body'],
  ])('refuses %j and says where', async (body, pointer) => {
    const answer = await createTestApi().call('POST', '/wallets', { body: JSON.stringify(body) });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});

describe('POST /wallets/bulk', () => {
  it('gives every wallet a result of its own', async () => {
    const addMany = async () => [
      { wallet: buildWallet(), created: true },
      new AppError('invalid_address', 'This is no address.'),
      { wallet: buildWallet(), created: false },
      new AppError('upstream_timeout', 'secret.example did not answer'),
    ];
    const body = { wallets: Array.from({ length: 4 }, () => ({ address: ADDRESS })) };
    const answer = await createTestApi({ wallets: { addMany } }).call('POST', '/wallets/bulk', { body });

    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ created: 1, existing: 1, failed: 2 });
    expect(answer.body.results.map((result: { index: number; status: number }) => [result.index, result.status])).toEqual([
      [0, 201],
      [1, 400],
      [2, 200],
      [3, 504],
    ]);
    expect(answer.body.results[1].error).toMatchObject({ code: 'invalid_address', detail: 'This is no address.' });
    expect(JSON.stringify(answer.body)).not.toContain('secret.example');
  });

  it('takes a thousand of the largest wallets, and not one more', async () => {
    const largest = { address: 'x'.repeat(255), chain: ['ethereum', 'base', 'arbitrum', 'polygon'], label: 'ü'.repeat(100) };
    const addMany = async (_tenant: string, inputs: readonly WalletInput[]) =>
      inputs.map(() => ({ wallet: buildWallet(), created: true }));
    const api = createTestApi({ wallets: { addMany } });
    const thousand = Array.from({ length: 1000 }, () => largest);

    const taken = await api.call('POST', '/wallets/bulk', { body: { wallets: thousand } });
    expect(taken.body).toMatchObject({ created: 1000, failed: 0 });

    const refused = await api.call('POST', '/wallets/bulk', { body: { wallets: [...thousand, largest] } });
    expect(refused.status).toBe(400);
    expect(refused.body.errors[0]).toMatchObject({ pointer: '/body/wallets', code: 'too_big' });
  });

  it('names no more than twenty faults', async () => {
    const answer = await createTestApi().call('POST', '/wallets/bulk', {
      body: { wallets: Array.from({ length: 900 }, () => ({})) },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(20);
    expect(answer.body.errors[3].pointer).toBe('/body/wallets/3/address');
  });
});

describe('GET /wallets', () => {
  it('walks all pages with its cursor', async () => {
    const all = Array.from({ length: 5 }, (_, index) =>
      buildWallet({ id: `0198b000-0000-7000-8000-00000000000${index}`, createdAt: new Date(NOW.getTime() + index) }),
    );
    const list = vi.fn(async (_tenant: string, options: { limit: number; after: { id: string; createdAt: Date } | null }) => {
      const start = options.after === null ? 0 : all.findIndex(({ id }) => id === options.after?.id) + 1;
      const wallets = all.slice(start, start + options.limit);
      const last = wallets.at(-1);
      const isLast = start + options.limit >= all.length;
      return { wallets, next: last === undefined || isLast ? null : { id: last.id, createdAt: last.createdAt } };
    });
    const api = createTestApi({ wallets: { list } });
    const seen: string[] = [];
    let path = '/wallets?limit=2&chain=ethereum';
    for (;;) {
      const { body } = await api.call('GET', path);
      seen.push(...body.wallets.map((wallet: { id: string }) => wallet.id));
      if (body.next_cursor === null) break;
      path = `/wallets?limit=2&chain=ethereum&cursor=${body.next_cursor}`;
    }
    expect(seen).toEqual(all.map(({ id }) => id));
    expect(list.mock.calls[1]?.[1].after).toEqual({ id: all[1]?.id, createdAt: all[1]?.createdAt });
    expect(list.mock.calls[0]?.[1]).toEqual({ limit: 2, after: null, chain: 'ethereum' });

    const withOtherFilter = await api.call('GET', path.replace('chain=ethereum&', ''));
    expect(withOtherFilter.status).toBe(400);
    expect(withOtherFilter.body.errors[0].pointer).toBe('/query/cursor');
  });

  it('gives pages of 50 unless asked otherwise', async () => {
    const list = vi.fn(async (_tenant: string, _options: object) => ({ wallets: [], next: null }));
    await createTestApi({ wallets: { list } }).call('GET', '/wallets');
    expect(list.mock.calls[0]?.[1]).toMatchObject({ limit: 50 });
  });

  it.each([
    ['limit=0', '/query/limit'],
    ['limit=101', '/query/limit'],
    ['limit=1e1', '/query/limit'],
    ['limit=', '/query/limit'],
    ['limit=1&limit=2', '/query/limit'],
    ['cursor=bm9uc2Vuc2U', '/query/cursor'],
    ['cursor=%00', '/query/cursor'],
    ['chain=', '/query/chain'],
    ['chain=a,b', '/query/chain'],
    ['limits=5', '/query/limits'],
    ['__proto__=1', '/query/__proto__'],
  ])('refuses ?%s', async (query, pointer) => {
    const answer = await createTestApi().call('GET', `/wallets?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});

describe('one wallet', () => {
  it('is read, labelled, unlabelled and deleted', async () => {
    const setLabel = vi.fn(async (_tenant: string, _id: string, { label }: { label: string | null }) => buildWallet({ label }));
    const remove = vi.fn(async () => undefined);
    const api = createTestApi({ wallets: { get: async () => buildWallet(), setLabel, delete: remove } });

    expect((await api.call('GET', `/wallets/${WALLET_ID}`)).status).toBe(200);
    expect((await api.call('PATCH', `/wallets/${WALLET_ID}`, { body: { label: 'Cold' } })).body.label).toBe('Cold');
    expect((await api.call('PATCH', `/wallets/${WALLET_ID}`, { body: { label: null } })).body.label).toBeNull();
    expect((await api.call('PATCH', `/wallets/${WALLET_ID}`, { body: {} })).status).toBe(400);

    const gone = await api.call('DELETE', `/wallets/${WALLET_ID}`);
    expect(gone.status).toBe(204);
    expect(remove).toHaveBeenCalledWith('tenant', WALLET_ID, null);
  });

  it('is asked for by a UUID', async () => {
    const answer = await createTestApi().call('GET', '/wallets/1');
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/path/id');
  });
});
