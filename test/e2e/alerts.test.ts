import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../support/test-stack.ts';

const ETHER = 'eip155:1/slip44:60';
const WALLET = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';

let stack: TestStack;
const received: { readonly headers: Record<string, string>; readonly body: string }[] = [];
const receiver = createServer(async (request, response) => {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  received.push({ headers, body: await text(request) });
  response.end();
});

beforeAll(async () => {
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  stack = await startTestStack(async () => ({ EMBEDDED_WORKER: 'true', OUTBOUND_ALLOW: '127.0.0.1' }));
});
afterAll(async () => {
  await stack.close();
  receiver.close();
});

it('an owner hears of a price that crosses a line, by the service as it is', async () => {
  await stack.post('/wallets', { address: WALLET, chain: 'ethereum' }, 201);
  await stack.ethereum.setNative(WALLET, 10n ** 18n);
  await stack.refresh();
  const { port } = receiver.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/told`;
  const { id, secret } = await stack.post('/webhooks', { url, event_types: ['alert.triggered', 'alert.resolved'] }, 201);
  expect((await stack.get(`/webhooks/${id}`)).secret).toBeUndefined();
  const rule = { kind: 'price', asset_id: ETHER, direction: 'above', threshold: '9000', hysteresis: '0.1' };
  const alert = await stack.post('/alerts', rule, 201);
  expect(alert).toMatchObject({ asset_id: ETHER, currency: 'USD', state: { status: 'pending' } });
  await stack.patch(`/assets/${encodeURIComponent(ETHER)}`, { manual_price: '9000.000000000000000001' });
  await expect.poll(() => received.length, { timeout: 30_000 }).toBe(1);
  const [message] = received;
  expect(new Verifier(secret).verify(message?.body ?? '', message?.headers ?? {})).toMatchObject({
    type: 'alert.triggered',
    data: { alert_id: alert.id, asset_id: ETHER, threshold: '9000', value: '9000.000000000000000001' },
  });
  expect((await stack.get(`/alerts/${alert.id}`)).state).toMatchObject({ status: 'triggered', unknown_reasons: [] });
  await expect
    .poll(async () => (await stack.get(`/webhooks/${id}/deliveries`)).deliveries.map(({ status }: { status: string }) => status))
    .toEqual(['delivered']);

  const tested = await stack.post(`/webhooks/${id}/test`, {}, 202);
  await expect.poll(() => received.length, { timeout: 30_000 }).toBe(2);
  expect(received[1]?.headers['webhook-id']).toBe(tested.event_id);
  expect((await stack.refuse(`/webhooks/${alert.id}`)).code).toBe('webhook_not_found');
});

it('refuses what is not to be called', async () => {
  for (const url of [
    'http://127.0.0.2/',
    'https://[::1]/',
    'https://169.254.169.254/',
    'http://example.com/',
    'ftp://127.0.0.1/',
  ]) {
    expect((await stack.post('/webhooks', { url }, 400)).code).toBe('outbound_refused');
  }
});
