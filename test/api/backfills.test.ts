import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { Backfill } from '../../src/domain/history/backfill.ts';
import { NOW } from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const PATH = `/wallets/${WALLET_ID}/backfill`;
const running: Backfill = {
  walletId: WALLET_ID,
  status: 'running',
  from: '2026-01-01',
  through: '2026-11-20',
  daysDone: 30,
  daysTotal: 324,
  unpricedCount: 2,
  priceErrorCode: 'upstream_rate_limited',
  startedAt: NOW,
  finishedAt: null,
  chains: [
    { chain: 'ethereum', status: 'pending', reached: '2026-10-22', error: null },
    { chain: 'solana', status: 'unsupported', reached: null, error: { code: 'upstream_unsupported', provider: null } },
  ],
};
const finished: Backfill = { ...running, status: 'finished', finishedAt: NOW };

describe('POST /wallets/{id}/backfill', () => {
  it('answers 202 with the place of the progress', async () => {
    const start = vi.fn(async (_tenant: string, _walletId: string, _from: string) => running);
    const answer = await createTestApi({ backfills: { start } }).call('POST', PATH, {
      body: { from: '2026-01-01', interval: 'day' },
    });
    expect(answer.status).toBe(202);
    expect(answer.headers.location).toBe(`/api/v1${PATH}`);
    expect(answer.headers['retry-after']).toBe('2');
    expect(start.mock.calls[0]?.slice(1)).toEqual([WALLET_ID, '2026-01-01']);
    expect(answer.body).toMatchObject({
      status: 'running',
      interval: 'day',
      progress: { done: 30, total: 324 },
      price_error: 'upstream_rate_limited',
      chains: [{ reached: '2026-10-22' }, { error: { code: 'upstream_unsupported', provider: null } }],
    });
  });

  it.each([
    {},
    { from: 'yesterday' },
    { from: '2026-02-30' },
    { from: '2026-01-01T00:00:00Z' },
    { from: '2026-01-01', interval: 'hour' },
    { from: '2026-01-01', to: '2026-02-01' },
  ])('refuses %j', async (body) => {
    const answer = await createTestApi().call('POST', PATH, { body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it.each([
    ['wallet_not_found', 404],
    ['conflict', 409],
    ['shutting_down', 503],
  ] as const)('tells %s', async (code, status) => {
    const start = async (): Promise<never> => {
      throw new AppError(code, 'No.');
    };
    const answer = await createTestApi({ backfills: { start } }).call('POST', PATH, { body: { from: '2026-01-01' } });
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
  });
});

describe('GET and DELETE /wallets/{id}/backfill', () => {
  it('tell when it is worth to look again, while it runs', async () => {
    const get = vi.fn(async () => running);
    expect((await createTestApi({ backfills: { get } }).call('GET', PATH)).headers['retry-after']).toBe('2');
    get.mockResolvedValue(finished);
    const ended = await createTestApi({ backfills: { get } }).call('GET', PATH);
    expect(ended.status).toBe(200);
    expect(ended.body).toMatchObject({ status: 'finished', finished_at: NOW.toISOString() });
  });

  it('say so where nothing was ever asked for', async () => {
    const refuse = async (): Promise<never> => {
      throw new AppError('backfill_not_found', 'No.');
    };
    const api = createTestApi({ backfills: { get: refuse, cancel: refuse } });
    expect((await api.call('GET', PATH)).body.code).toBe('backfill_not_found');
    expect((await api.call('DELETE', PATH)).status).toBe(404);
  });

  it('cancel what runs', async () => {
    const cancel = async (): Promise<Backfill> => ({ ...running, status: 'cancelled', finishedAt: NOW });
    const answer = await createTestApi({ backfills: { cancel } }).call('DELETE', PATH);
    expect(answer.status).toBe(200);
    expect(answer.body.status).toBe('cancelled');
  });
});
