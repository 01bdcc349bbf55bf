import { describe, expect, it, vi } from 'vitest';
import type { Alert } from '../../src/domain/alerts/alert.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { AlertService } from '../../src/services/alerts/alert-service.ts';
import { buildAsset, NOW } from '../support/builders.ts';
import { WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const ID = '0198e500-0000-7000-8000-000000000001';
const PATH = `/alerts/${ID}`;
const asset = buildAsset();
const alert: Alert = {
  id: ID,
  kind: 'price',
  walletId: null,
  assetId: asset.id,
  currency: 'EUR',
  name: null,
  direction: 'below',
  threshold: new Decimal('1e-30'),
  hysteresis: new Decimal('0.05'),
  cooldownSeconds: 60,
  isEnabled: true,
  state: {
    isTriggered: true,
    value: new Decimal('0.1'),
    unknownReasons: ['price_stale'],
    evaluatedAt: NOW,
    triggeredAt: NOW,
    resolvedAt: null,
  },
  revision: 3,
  createdAt: NOW,
  updatedAt: NOW,
  version: 1,
};
const view = { alert, asset };

describe('POST /alerts', () => {
  it.each([
    [
      { kind: 'value', direction: 'above', threshold: '1000' },
      { walletId: null, assetId: null, currency: 'USD' },
    ],
    [
      { kind: 'value', wallet_id: WALLET_ID, currency: 'eur', direction: 'below', threshold: '5', hysteresis: '0.1' },
      { walletId: WALLET_ID, currency: 'EUR', hysteresis: new Decimal('0.1') },
    ],
    [
      { kind: 'share', asset_id: 'eip155:1/slip44:60', direction: 'above', threshold: '0.5', cooldown_seconds: 60 },
      { assetId: 'eip155:1/slip44:60', currency: null, cooldownSeconds: 60 },
    ],
    [
      { kind: 'price', asset_id: asset.id, direction: 'above', threshold: '2', name: 'dear' },
      { name: 'dear', currency: 'USD' },
    ],
    [
      { kind: 'staleness', threshold: '3600' },
      { kind: 'staleness', direction: 'above', currency: null },
    ],
  ])('takes %j', async (body, rule) => {
    const add = vi.fn<AlertService['add']>(async () => view);
    const answer = await createTestApi({ alerts: { add } }).call('POST', '/alerts', { body });
    expect(answer.status).toBe(201);
    expect(answer.headers.location).toBe(`/api/v1${PATH}`);
    expect(add.mock.calls[0]?.[1]).toMatchObject({ kind: body.kind, isEnabled: true, ...rule });
  });

  it.each([
    {},
    { kind: 'mood', threshold: '1' },
    { kind: 'value', threshold: '1' },
    { kind: 'value', direction: 'above', threshold: '-1' },
    { kind: 'value', direction: 'above', threshold: 1 },
    { kind: 'value', direction: 'above', threshold: '1e3' },
    { kind: 'value', direction: 'above', threshold: '1', asset_id: asset.id },
    { kind: 'value', direction: 'above', threshold: '1', hysteresis: '1' },
    { kind: 'value', direction: 'above', threshold: '1', hysteresis: '-0.1' },
    { kind: 'value', direction: 'above', threshold: '1', cooldown_seconds: 1.5 },
    { kind: 'value', direction: 'above', threshold: '1', currency: 'EURO€' },
    { kind: 'share', asset_id: asset.id, direction: 'above', threshold: '1.5' },
    { kind: 'price', direction: 'above', threshold: '1' },
    { kind: 'staleness', threshold: '60', direction: 'below' },
  ])('refuses %j', async (body) => {
    const answer = await createTestApi().call('POST', '/alerts', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it.each([
    ['asset_not_found', 404],
    ['wallet_not_found', 404],
    ['quota_exceeded', 403],
  ] as const)('tells %s', async (code, status) => {
    const add = async (): Promise<never> => {
      throw new AppError(code, 'No.');
    };
    const body = { kind: 'staleness', threshold: '60' };
    const answer = await createTestApi({ alerts: { add } }).call('POST', '/alerts', { body });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

describe('an alert', () => {
  it('tells its rule to the last digit, and its state', async () => {
    const never: Alert = { ...alert, state: { ...alert.state, isTriggered: false, value: null, evaluatedAt: null } };
    const api = createTestApi({
      alerts: { get: async () => view, list: async () => [view, { alert: never, asset }, { alert, asset: null }] },
    });
    const { body } = await api.call('GET', PATH);
    expect(body).toMatchObject({
      asset_id: expect.stringMatching(/^eip155:1\//),
      threshold: `0.${'0'.repeat(29)}1`,
      state: { status: 'triggered', value: '0.1', unknown_reasons: ['price_stale'], resolved_at: null },
    });
    const { alerts } = (await api.call('GET', '/alerts')).body;
    expect(alerts.map(({ state }: { state: { status: string } }) => state.status)).toEqual(['triggered', 'pending', 'triggered']);
  });

  it('takes what is to change and nothing else', async () => {
    const update = vi.fn<AlertService['update']>(async () => view);
    const api = createTestApi({ alerts: { update } });
    const body = { threshold: '2', hysteresis: '0', enabled: false, name: null };
    expect((await api.call('PATCH', PATH, { body })).status).toBe(200);
    expect(update.mock.calls[0]?.slice(1)).toEqual([
      ID,
      { threshold: new Decimal(2), hysteresis: new Decimal(0), isEnabled: false, name: null, ifVersion: null },
    ]);
    for (const bad of [{}, { kind: 'value' }, { wallet_id: WALLET_ID }, { state: {} }])
      expect((await api.call('PATCH', PATH, { body: bad })).status).toBe(400);
  });

  it('is deleted, and one that is not there is a 404', async () => {
    const gone = async (): Promise<never> => {
      throw new AppError('alert_not_found', 'No.');
    };
    expect((await createTestApi({ alerts: { delete: async () => undefined } }).call('DELETE', PATH)).status).toBe(204);
    const api = createTestApi({ alerts: { get: gone, update: gone, delete: gone } });
    for (const answer of [
      await api.call('GET', PATH),
      await api.call('PATCH', PATH, { body: { enabled: true } }),
      await api.call('DELETE', PATH),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'alert_not_found']);
  });
});
