import { z } from 'zod';
import { SCOPES } from '../../domain/access.ts';
import { label, timestamp } from './common.ts';

export const keyId = z
  .string()
  .regex(/^[0-9A-Za-z]{12}$/, 'An id of a key is 12 letters and digits.')
  .meta({ description: 'Id of a key: the part between the first two underscores.', example: '4fKq0ZsLw2Xb' });

const scopes = z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).meta({
  description:
    '`read:percent`: shares and performance, no amounts. `read:values`: everything that is read, `read:percent` included. `write`: changes of data, which are answered with what was changed, amounts and addresses included: not for those who may see shares only. `admin`: all of it, and keys.',
});

export const newKeySchema = z
  .strictObject({
    name: label,
    scopes: scopes.refine((list) => new Set(list).size === list.length, 'Name each scope once.'),
    expires_at: z.iso.datetime({ offset: true }).max(40).nullable().optional().meta({
      description: 'RFC 3339, in the future. Unless given the key holds until it is revoked.',
      example: '2027-11-21T12:00:00Z',
    }),
  })
  .meta({ id: 'NewKey' });

export const rotationSchema = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(2_592_000).default(86_400).meta({
      description: 'How long the old key still holds.',
    }),
  })
  .meta({ id: 'KeyRotation' });

export const keySchema = z
  .object({
    id: keyId,
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    status: z.enum(['active', 'expired', 'revoked']),
    created_at: timestamp,
    expires_at: timestamp.nullable(),
    last_used_at: timestamp.nullable().meta({ description: 'To the minute.' }),
    revoked_at: timestamp.nullable(),
    replaced_by: keyId.nullable().meta({ description: 'The key that came in its place when it was rotated.' }),
  })
  .meta({ id: 'Key' });

export const createdKeySchema = keySchema
  .extend({
    key: z.string().nullable().meta({
      description: 'The key itself. It is not kept and never shown again: null in an answer that is repeated.',
    }),
  })
  .meta({ id: 'CreatedKey' });

export const keyListSchema = z.object({ keys: z.array(keySchema) }).meta({ id: 'KeyList' });

export type KeyWire = z.output<typeof keySchema>;
export type CreatedKeyWire = z.output<typeof createdKeySchema>;
