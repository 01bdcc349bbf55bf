import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGuardedClient } from '../../../src/lib/outbound/guarded-client.ts';
import { type OutboundAllowance, parseOutboundAllowance } from '../../../src/lib/outbound/outbound-allowance.ts';
import { createOutboundGuard, type OutboundGuard } from '../../../src/lib/outbound/outbound-guard.ts';
import { createDnsResolver } from '../../../src/lib/outbound/resolve-host.ts';
import { HOSTILE_NAMES, HOSTILE_URLS } from '../../fixtures/outbound-urls.ts';
import { type DnsServer, startDnsServer } from '../../support/dns-server.ts';

let listeners: Server[];
let dns: DnsServer;
let port: number;
let connections = 0;

beforeAll(async () => {
  const first = createServer((socket) => {
    connections += 1;
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi');
  }).listen(0, '127.0.0.1');
  await once(first, 'listening');
  port = (first.address() as AddressInfo).port;
  const second = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen({ port, host: '::1' });
  await once(second, 'listening');
  listeners = [first, second];
  dns = await startDnsServer((name) => HOSTILE_NAMES[name] ?? null);
});
afterAll(async () => {
  for (const listener of listeners) listener.close();
  await dns.close();
});

/** One that holds nothing against the listener's port and protocol, so that its address alone decides. */
function openGuard(allowances: readonly OutboundAllowance[] = []): OutboundGuard {
  return createOutboundGuard({
    rules: { protocols: ['http:', 'https:'], ports: [port] },
    allowances,
    resolveHost: createDnsResolver([dns.address]),
  });
}

function send(guard: OutboundGuard, url: string): Promise<unknown> {
  const client = createGuardedClient(guard);
  const request = { url, signal: new AbortController().signal, timeoutMs: 10_000, maxBytes: 1_000 };
  return client.send(request).finally(() => client.close());
}

describe('URLs that are meant to reach what only the service can reach', () => {
  it('are more than a hundred and fifty, each of another kind', () => {
    expect(new Set(HOSTILE_URLS).size).toBe(HOSTILE_URLS.length);
    expect(HOSTILE_URLS.length).toBeGreaterThanOrEqual(150);
  });

  it('fault 46: are refused when they are set and when they are used, and no connection is made', async () => {
    const guard = openGuard();
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'outbound_refused' }) };
    const urls = HOSTILE_URLS.map((url) => url.replaceAll('{port}', String(port)));
    const outcomes = await Promise.allSettled(urls.flatMap((url) => [guard.check(url), send(guard, url)]));
    const passed = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? urls[index >> 1] : []));
    expect(passed).toEqual([]);
    for (const outcome of outcomes) expect(outcome).toEqual(refused);
    expect(connections).toBe(0);
  });

  it('would have reached the listener otherwise', async () => {
    const guard = openGuard([parseOutboundAllowance('127.0.0.0/8') as OutboundAllowance]);
    for (const url of [`http://127.1:${port}/`, `http://loopback.test:${port}/`, `http://[::ffff:7f00:1]:${port}/`]) {
      connections = 0;
      await expect(send(guard, url)).resolves.toMatchObject({ status: 200, body: 'hi' });
      expect(connections).toBe(1);
    }
  });

  it('say nothing of what a name leads to', async () => {
    const messages = await Promise.all(
      ['loopback.test', 'no-such-name.test', 'metadata.test', '10.0.0.1'].map((host) =>
        openGuard()
          .check(`http://${host}:${port}/`)
          .catch((error: Error) => error.message),
      ),
    );
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toContain('or nothing is known of it');
  });
});
