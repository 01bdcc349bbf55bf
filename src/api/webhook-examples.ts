import type { DeliveryWire, WebhookWire } from './schemas/webhooks.ts';

export const webhookExample: WebhookWire = {
  id: '0198e000-0000-7000-8000-000000000001',
  url: 'https://hooks.example.com/chainfolio',
  event_types: ['wallet.balance_changed', 'refresh.failed', 'alert.triggered'],
  description: 'The phone',
  enabled: true,
  disabled_at: null,
  disabled_reason: null,
  failing_since: null,
  old_secret_until: null,
  created_at: '2026-11-21T12:00:00.000Z',
  updated_at: '2026-11-21T12:00:00.000Z',
};

export const webhookSecretExample = { ...webhookExample, secret: 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' };

export const deliveryExample: DeliveryWire = {
  id: '0198f000-0000-7000-8000-000000000001',
  webhook_id: webhookExample.id,
  event_id: '0198f100-0000-7000-8000-000000000001',
  type: 'alert.triggered',
  status: 'pending',
  attempts: 2,
  next_attempt_at: '2026-11-21T12:05:11.000Z',
  last_attempt_at: '2026-11-21T12:00:08.000Z',
  response_status: 503,
  error: 'upstream_status',
  created_at: '2026-11-21T12:00:02.000Z',
  finished_at: null,
};
