import { createHmac } from 'node:crypto';

type Signed = {
  readonly id: string;
  readonly sentAt: Date;
  /** The very text that is sent. */
  readonly body: string;
  /** Each of them signs, so that the other side may know either while it changes from one to the next. */
  readonly secrets: readonly Buffer[];
};

/** The headers by which the receiver of a webhook knows that it comes from us and that it is new: Standard Webhooks 1.0, symmetric. */
export function signWebhook({ id, sentAt, body, secrets }: Signed): Readonly<Record<string, string>> {
  const timestamp = Math.floor(sentAt.getTime() / 1000).toString();
  const sign = (secret: Buffer): string => createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${sign(secret)}`).join(' '),
  };
}

/** A secret in the form that libraries for receivers take. */
export function formatWebhookSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}
