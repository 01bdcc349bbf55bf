import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createGuardedClient } from '../../../src/lib/outbound/guarded-client.ts';
import { type OutboundAllowance, parseOutboundAllowance } from '../../../src/lib/outbound/outbound-allowance.ts';
import { createOutboundGuard, RPC_RULES, WEBHOOK_RULES } from '../../../src/lib/outbound/outbound-guard.ts';
import { createDnsResolver } from '../../../src/lib/outbound/resolve-host.ts';
import { startDnsServer } from '../../support/dns-server.ts';

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

function counter(): { listener: RequestListener; hits(): number } {
  let hits = 0;
  return {
    listener(_request, response) {
      hits += 1;
      response.end('hello');
    },
    hits: () => hits,
  };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return (server.address() as AddressInfo).port;
}

type Setup = {
  readonly allow?: readonly string[];
  readonly names?: (name: string) => readonly string[];
  readonly networks?: readonly string[];
};

async function setUp({ allow = [], names = () => [], networks = [] }: Setup) {
  const dns = await startDnsServer(names);
  const guard = createOutboundGuard({
    rules: RPC_RULES,
    allowances: allow.map((text) => parseOutboundAllowance(text) as OutboundAllowance),
    resolveHost: createDnsResolver([dns.address]),
    ownNetworks: () => networks,
  });
  const client = createGuardedClient(guard);
  toClose.push(
    () => client.close(),
    () => dns.close(),
  );
  const signal = new AbortController().signal;
  return { dns, guard, send: (url: string) => client.send({ url, signal, timeoutMs: 10_000, maxBytes: 1_000 }) };
}

describe('a name that leads elsewhere the second time', () => {
  it('passes when it is set and is refused when it is used', async () => {
    const { listener, hits } = counter();
    const port = await serve(listener);
    let leadsTo = '1.1.1.1';
    const names = (): readonly string[] => [leadsTo];
    const { guard, send } = await setUp({ names });
    await expect(guard.check('http://rebind.test/')).resolves.toBeInstanceOf(URL);
    leadsTo = '127.0.0.1';
    await expect(send('http://rebind.test/')).rejects.toMatchObject({ code: 'outbound_refused' });
    await expect(send(`http://rebind.test:${port}/`)).rejects.toMatchObject({ code: 'outbound_refused' });
    expect(hits()).toBe(0);
  });

  it('is looked up once for a connection: what was checked is what is called', async () => {
    const hosts: (string | undefined)[] = [];
    const port = await serve((request, response) => {
      hosts.push(request.headers.host);
      response.end('hello');
    });
    const { dns, send } = await setUp({ allow: [`127.0.0.1:${port}`], names: () => ['127.0.0.1'] });
    await expect(send(`http://node.test:${port}/`)).resolves.toMatchObject({ status: 200, body: 'hello' });
    expect(hosts).toEqual([`node.test:${port}`]);
    expect(dns.questions.toSorted()).toEqual(['A node.test', 'AAAA node.test']);
  });
});

it.each([300, 301, 302, 303, 305, 307, 308])('a redirect by %i leads nowhere', async (status) => {
  const { listener, hits } = counter();
  const inside = await serve(listener);
  const outside = await serve((_request, response) =>
    response.writeHead(status, { location: `http://127.0.0.1:${inside}/` }).end(),
  );
  const { send } = await setUp({ allow: [`127.0.0.1:${outside}`] });
  await expect(send(`http://127.0.0.1:${outside}/`)).rejects.toMatchObject({ code: 'upstream_redirect' });
  expect(hits()).toBe(0);
});

it('the name is said in the handshake, and the address is not', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { send } = await setUp({ allow: ['127.0.0.1'], names: () => ['127.0.0.1'] });
  const sent = send(`https://node.test:${port}/`).catch((error: unknown) => error);
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket, 'data');
  expect(hello.toString('latin1')).toContain('node.test');
  socket.destroy();
  expect(await sent).toMatchObject({ code: 'upstream_unreachable', message: `node.test:${port} could not be reached.` });
});

it('the next address is tried when one cannot be reached', async () => {
  const port = await serve((_request, response) => response.end('hello'));
  const { send } = await setUp({ allow: ['127.0.0.0/8'], names: () => ['127.0.0.2', '127.0.0.1'] });
  await expect(send(`http://node.test:${port}/`)).resolves.toMatchObject({ body: 'hello' });
});

describe('what the operator allows', () => {
  it('is this host at this port and no other', async () => {
    const port = await serve((_request, response) => response.end('hello'));
    const { send } = await setUp({ allow: [`localhost:${port}`] });
    await expect(send(`http://localhost:${port}/`)).resolves.toMatchObject({ body: 'hello' });
    await expect(send(`http://localhost:8545/`)).rejects.toMatchObject({ code: 'outbound_refused' });
    await expect(send(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'outbound_refused' });
  });

  it('takes plain HTTP for webhooks too, which else go by HTTPS', async () => {
    const resolveHost = async (host: string) => (host === 'hook.test' ? ['1.1.1.1'] : ['192.168.1.5']);
    const options = { rules: WEBHOOK_RULES, resolveHost, ownNetworks: () => [] };
    const strict = createOutboundGuard({ ...options, allowances: [] });
    await expect(strict.check('https://hook.test/x')).resolves.toMatchObject({ href: 'https://hook.test/x' });
    await expect(strict.check('http://hook.test/x')).rejects.toMatchObject({
      message: 'The URL must begin with https://, unless OUTBOUND_ALLOW names where it leads.',
    });
    await expect(strict.check('https://hook.test:9000/')).rejects.toMatchObject({ code: 'outbound_refused' });
    const allowances = [parseOutboundAllowance('192.168.0.0/16:9000') as OutboundAllowance];
    const home = createOutboundGuard({ ...options, allowances });
    await expect(home.check('http://nas.test:9000/')).resolves.toBeInstanceOf(URL);
    await expect(home.check('http://nas.test:9001/')).rejects.toMatchObject({ code: 'outbound_refused' });
    await expect(home.check('http://hook.test:9000/')).rejects.toMatchObject({ code: 'outbound_refused' });
  });
});

it('public addresses of the network that the service itself is in are refused', async () => {
  const { guard } = await setUp({ networks: ['2a01:4f8:1:2::5/64', '1.2.3.4/24', '0.0.0.0/0'] });
  for (const host of ['[2a01:4f8:1:2::5]', '[2a01:4f8:1:2:ffff::1]', '1.2.3.200'])
    await expect(guard.check(`http://${host}/`)).rejects.toMatchObject({ code: 'outbound_refused' });
  for (const host of ['[2a01:4f8:1:3::5]', '1.2.4.1', '8.8.8.8', '[64:ff9b::808:808]'])
    await expect(guard.check(`http://${host}/`)).resolves.toBeInstanceOf(URL);
});

it('a name whose server never answers is given up', async () => {
  const dns = await startDnsServer(() => undefined);
  toClose.push(() => dns.close());
  const guard = createOutboundGuard({ rules: RPC_RULES, allowances: [], resolveHost: createDnsResolver([dns.address]) });
  await expect(guard.check('http://silent.test/')).rejects.toMatchObject({ code: 'outbound_refused' });
}, 20_000);
