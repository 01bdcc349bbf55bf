import { z } from 'zod';

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Where the error is explained, relative to the server.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().meta({ description: 'The path that was asked for.' }),
    code: z.string().meta({ description: 'Stable; listed at `/docs/errors`.' }),
    request_id: z.string().meta({ description: 'The `X-Request-Id` of the answer. The log knows it.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description:
              'JSON pointer into the request as `{path, query, header, body}`: `/body/wallets/3/address`, `/query/limit`.',
          }),
          code: z.string(),
          message: z.string(),
        }),
      )
      .meta({ description: 'Each fault of the request, at most 20. Empty when the fault is not in one place.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

export type Problem = z.output<typeof problemSchema>;
