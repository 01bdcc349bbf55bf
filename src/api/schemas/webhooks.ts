import { z } from 'zod';
import { EVENT_TYPES } from '../../domain/events/event.ts';
import { DELIVERY_STATUSES, TEST_MESSAGE_TYPE } from '../../domain/webhooks/webhook.ts';
import { label, nextCursor, timestamp, uuid } from './common.ts';

const url = z.string().min(1).max(2000).meta({
  description: 'Where to send. HTTPS, on the public internet, unless the operator allows more.',
  example: 'https://hooks.example.com/chainfolio',
});

const eventTypes = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .max(EVENT_TYPES.length)
  .nullable()
  .meta({ description: 'What to tell; null for everything, also of types that come to be later.' });

const description = label.nullable().meta({ description: 'Your own words for it.' });

export const newWebhookSchema = z
  .strictObject({ url, event_types: eventTypes.optional(), description: description.optional() })
  .meta({ id: 'NewWebhook' });

export const webhookPatchSchema = z
  .strictObject({
    url: url.optional(),
    event_types: eventTypes.optional(),
    description: description.optional(),
    enabled: z.boolean().optional().meta({
      description: 'Once enabled again, it is told what happens from then on, and what was still to be sent.',
    }),
  })
  .refine((patch) => Object.keys(patch).length > 0, 'Give at least one field.')
  .meta({ id: 'WebhookPatch' });

const webhookFields = z.object({
  id: uuid,
  url: z.string(),
  event_types: z.array(z.enum(EVENT_TYPES)).nullable(),
  description: z.string().nullable(),
  enabled: z.boolean(),
  disabled_at: timestamp.nullable(),
  disabled_reason: z.enum(['by_request', 'gone', 'failing']).nullable().meta({
    description: '`gone`: it answered 410. `failing`: it answered nothing good for a day.',
  }),
  failing_since: timestamp.nullable().meta({ description: 'The first of the failures since the last success.' }),
  old_secret_until: timestamp.nullable().meta({
    description: 'Until then what is sent is signed with the secret before this one too.',
  }),
  created_at: timestamp,
  updated_at: timestamp,
});

export const webhookSchema = webhookFields.meta({ id: 'Webhook' });
export const webhookListSchema = z.object({ webhooks: z.array(webhookSchema) }).meta({ id: 'WebhookList' });

export const webhookSecretSchema = webhookFields
  .extend({
    secret: z.string().nullable().meta({
      description: 'For verifying what is sent. It is told here and never again: null in an answer that is repeated.',
    }),
  })
  .meta({ id: 'WebhookWithSecret' });

export const rotationSchema = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(604_800).default(86_400).meta({
      description: 'For how long the secret before signs as well.',
    }),
  })
  .meta({ id: 'WebhookRotation' });

export const deliverySchema = z
  .object({
    id: uuid,
    webhook_id: uuid,
    event_id: uuid.meta({ description: 'Sent as `webhook-id`: the same in every attempt.' }),
    type: z.enum([...EVENT_TYPES, TEST_MESSAGE_TYPE]),
    status: z.enum(DELIVERY_STATUSES).meta({ description: '`failed`: given up, until you have it sent again.' }),
    attempts: z.int().min(0),
    next_attempt_at: timestamp.nullable().meta({ description: 'null while one is under way, and when there is none to come.' }),
    last_attempt_at: timestamp.nullable(),
    response_status: z.int().nullable().meta({ description: 'What was answered the last time.' }),
    error: z.string().nullable().meta({ description: 'Why there was no good answer: a stable code, listed at `/docs/errors`.' }),
    created_at: timestamp,
    finished_at: timestamp.nullable(),
  })
  .meta({ id: 'Delivery' });

export const deliveryPageSchema = z
  .object({ deliveries: z.array(deliverySchema), next_cursor: nextCursor })
  .meta({ id: 'DeliveryPage' });

export type WebhookWire = z.output<typeof webhookSchema>;
export type DeliveryWire = z.output<typeof deliverySchema>;
