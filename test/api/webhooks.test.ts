import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import type { Delivery, Webhook } from '../../src/domain/webhooks/webhook.ts';
import type { DeliveryPage, WebhookService } from '../../src/services/webhooks/webhook-service.ts';
import { NOW } from '../support/builders.ts';
import { createTestApi } from '../support/test-api.ts';

const ID = '0198e000-0000-7000-8000-000000000001';
const DELIVERY_ID = '0198f000-0000-7000-8000-000000000001';
const PATH = `/webhooks/${ID}`;
const webhook: Webhook = {
  id: ID,
  url: 'https://hooks.example/a',
  description: null,
  eventTypes: ['snapshot.missed'],
  disabled: null,
  failingSince: null,
  oldSecretUntil: null,
  createdAt: NOW,
  updatedAt: NOW,
  version: 1,
};
const delivery: Delivery = {
  id: DELIVERY_ID,
  webhookId: ID,
  eventId: '0198f100-0000-7000-8000-000000000001',
  type: 'snapshot.missed',
  status: 'failed',
  attempts: 8,
  nextAttemptAt: null,
  lastAttemptAt: NOW,
  responseStatus: 500,
  errorCode: 'upstream_status',
  createdAt: NOW,
  finishedAt: NOW,
};
const withSecret = { webhook, secret: Buffer.alloc(32, 7) };
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const refuse =
  (code: 'webhook_not_found' | 'delivery_not_found' | 'conflict' | 'outbound_refused' | 'quota_exceeded') => async () => {
    throw new AppError(code, 'No.');
  };

describe('POST /webhooks', () => {
  it('answers 201 with the secret, and takes no event types for all', async () => {
    const add = vi.fn<WebhookService['add']>(async () => withSecret);
    const answer = await createTestApi({ webhooks: { add } }).call('POST', '/webhooks', {
      body: { url: 'https://hooks.example/a' },
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/api/v1${PATH}`);
    expect(answer.body).toMatchObject({ id: ID, enabled: true, secret: SECRET });
    expect(add.mock.calls[0]?.[1]).toEqual({ url: 'https://hooks.example/a', eventTypes: null, description: null });
  });

  it.each([
    {},
    { url: '' },
    { url: 'x'.repeat(2001) },
    { url: 'https://a.example', event_types: [] },
    { url: 'https://a.example', event_types: ['wallet.exploded'] },
    { url: 'https://a.example', secret: SECRET },
    { url: 'https://a.example', description: 'x'.repeat(101) },
  ])('refuses %j', async (body) => {
    const answer = await createTestApi().call('POST', '/webhooks', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it.each([
    ['outbound_refused', 400],
    ['quota_exceeded', 403],
  ] as const)('tells %s', async (code, status) => {
    const api = createTestApi({ webhooks: { add: refuse(code) } });
    const answer = await api.call('POST', '/webhooks', { body: { url: 'https://a.example' } });
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
  });
});

describe('a webhook', () => {
  it('is told without its secret', async () => {
    const disabled: Webhook = { ...webhook, disabled: { at: NOW, reason: 'failing' }, failingSince: NOW, oldSecretUntil: NOW };
    const api = createTestApi({ webhooks: { get: async () => disabled, list: async () => [webhook, disabled] } });
    const one = await api.call('GET', PATH);
    expect(one.body).toMatchObject({ enabled: false, disabled_reason: 'failing', failing_since: NOW.toISOString() });
    const all = await api.call('GET', '/webhooks');
    expect(all.body.webhooks).toHaveLength(2);
    expect(JSON.stringify([one.body, all.body])).not.toContain('whsec');
  });

  it('takes what is to change and nothing else', async () => {
    const update = vi.fn<WebhookService['update']>(async () => webhook);
    const api = createTestApi({ webhooks: { update } });
    expect((await api.call('PATCH', PATH, { body: { enabled: false, event_types: null } })).status).toBe(200);
    expect(update.mock.calls[0]?.slice(1)).toEqual([ID, { isEnabled: false, eventTypes: null, ifVersion: null }]);
    for (const body of [{}, { disabled_reason: 'gone' }, { enabled: 'yes' }])
      expect((await api.call('PATCH', PATH, { body })).status).toBe(400);
  });

  it('is given a new secret, with a day to change it unless told', async () => {
    const rotate = vi.fn<WebhookService['rotate']>(async () => withSecret);
    const api = createTestApi({ webhooks: { rotate } });
    expect((await api.call('POST', `${PATH}/rotate`)).body.secret).toBe(SECRET);
    expect((await api.call('POST', `${PATH}/rotate`, { body: { overlap_seconds: 0 } })).status).toBe(200);
    expect(rotate.mock.calls.map(([, , seconds]) => seconds)).toEqual([86_400, 0]);
    expect((await api.call('POST', `${PATH}/rotate`, { body: { overlap_seconds: -1 } })).status).toBe(400);
  });

  it('is deleted', async () => {
    expect((await createTestApi({ webhooks: { delete: async () => undefined } }).call('DELETE', PATH)).status).toBe(204);
  });

  it('that is not there is a 404 everywhere', async () => {
    const gone = refuse('webhook_not_found');
    const names = ['get', 'update', 'delete', 'rotate', 'listDeliveries', 'replay', 'test'] as const;
    const api = createTestApi({ webhooks: Object.fromEntries(names.map((name) => [name, gone])) });
    const answers = [
      await api.call('GET', PATH),
      await api.call('PATCH', PATH, { body: { enabled: true } }),
      await api.call('DELETE', PATH),
      await api.call('POST', `${PATH}/rotate`),
      await api.call('GET', `${PATH}/deliveries`),
      await api.call('POST', `${PATH}/deliveries/${DELIVERY_ID}/replay`),
      await api.call('POST', `${PATH}/test`),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [404, 'webhook_not_found']));
  });
});

describe('deliveries', () => {
  it('are listed page by page, by their status', async () => {
    const listDeliveries = vi.fn(
      async (): Promise<DeliveryPage> => ({ deliveries: [delivery], nextId: DELIVERY_ID }),
    ) as unknown as WebhookService['listDeliveries'];
    const api = createTestApi({ webhooks: { listDeliveries } });
    const first = await api.call('GET', `${PATH}/deliveries?status=failed&limit=1`);
    expect(first.body.deliveries[0]).toMatchObject({ status: 'failed', response_status: 500, error: 'upstream_status' });
    await api.call('GET', `${PATH}/deliveries?status=failed&limit=1&cursor=${first.body.next_cursor}`);
    expect(vi.mocked(listDeliveries).mock.calls.map(([, , query]) => query)).toEqual([
      { status: 'failed', afterId: null, limit: 1 },
      { status: 'failed', afterId: DELIVERY_ID, limit: 1 },
    ]);
    const other = await api.call('GET', `${PATH}/deliveries?cursor=${first.body.next_cursor}`);
    expect(other.body.errors[0].code).toBe('invalid_cursor');
    expect((await api.call('GET', `${PATH}/deliveries?status=lost`)).status).toBe(400);
  });

  it('are sent again, and a test is sent', async () => {
    const pending: Delivery = { ...delivery, status: 'pending', attempts: 0, nextAttemptAt: NOW, finishedAt: null };
    const replay = vi.fn<WebhookService['replay']>(async () => pending);
    const api = createTestApi({ webhooks: { replay, test: async () => ({ ...pending, type: 'webhook.test' }) } });
    const again = await api.call('POST', `${PATH}/deliveries/${DELIVERY_ID}/replay`);
    expect(again.status).toBe(202);
    expect(again.body.next_attempt_at).toBe(NOW.toISOString());
    expect(replay.mock.calls[0]?.slice(1)).toEqual([ID, DELIVERY_ID]);
    const test = await api.call('POST', `${PATH}/test`);
    expect([test.status, test.body.type]).toEqual([202, 'webhook.test']);
  });

  it('are not sent where there are none, or to a webhook that is disabled', async () => {
    const api = createTestApi({ webhooks: { replay: refuse('delivery_not_found'), test: refuse('conflict') } });
    expect((await api.call('POST', `${PATH}/deliveries/${DELIVERY_ID}/replay`)).status).toBe(404);
    expect((await api.call('POST', `${PATH}/test`)).status).toBe(409);
  });
});
