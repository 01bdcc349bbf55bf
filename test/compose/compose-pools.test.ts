import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { composePools } from '../../src/compose/compose-pools.ts';
import { loadConfig } from '../../src/config.ts';
import { chains } from '../../src/domain/chains.ts';
import { createHttpClient } from '../../src/lib/http-client.ts';
import type { RpcEndpoint } from '../../src/lib/json-rpc/rpc-endpoint.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { createGuardedClient } from '../../src/lib/outbound/guarded-client.ts';
import { parseOutboundAllowance } from '../../src/lib/outbound/outbound-allowance.ts';
import { createOutboundGuard, RPC_RULES } from '../../src/lib/outbound/outbound-guard.ts';

const { signal } = new AbortController();
const CHECKED = '127.0.0.1';
const INSIDE = '127.0.0.2';
const servers: Server[] = [];
const called = { [CHECKED]: 0, [INSIDE]: 0, configured: 0 };
let port: number;
let configuredUrl: string;

/** A node of Ethereum, as far as its chain goes, that takes one request a connection. */
async function serve(place: keyof typeof called, at: { readonly host: string; readonly port: number }): Promise<number> {
  const server = createServer((_request, response) => {
    called[place] += 1;
    response.setHeader('connection', 'close').end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
  }).listen(at);
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  port = await serve(CHECKED, { host: CHECKED, port: 0 });
  await serve(INSIDE, { host: INSIDE, port });
  configuredUrl = `http://127.0.0.1:${await serve('configured', { host: CHECKED, port: 0 })}`;
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function ask(endpoint: RpcEndpoint): Promise<unknown> {
  return endpoint.call({ method: 'eth_chainId', params: [] }, { signal });
}

it('an endpoint whose name comes to lead inside is not called there, and the next one is asked', async () => {
  let leadsTo = CHECKED;
  const guard = createOutboundGuard({
    rules: RPC_RULES,
    allowances: [parseOutboundAllowance(`${CHECKED}:${port}`)].filter((allowance) => allowance !== undefined),
    resolveHost: async () => [leadsTo],
  });
  const clients = [createHttpClient(), createGuardedClient(guard)] as const;
  const log = createLogger({ level: 'silent', secrets: [], destination: { write: () => undefined } });
  const pools = composePools(loadConfig({ ETHEREUM_RPC_URLS: configuredUrl }), {
    http: clients[0],
    guarded: { guard, http: clients[1] },
    log,
    metrics: createMetrics({ version: '0' }),
  });
  const { chain, pool } = pools.all.find((one) => one.chain === chains[0]) ?? expect.unreachable('there are chains');

  const url = await pools.settings.check(chain, `http://rebind.test:${port}/key`, signal);
  pools.settings.use([{ id: 'a', chain: chain.slug, url, createdAt: new Date() }]);
  expect(pools.endpointNames().get(chain.slug)?.[0]).toBe(`rebind.test:${port}`);
  await pool.run(ask, signal);
  // The check, the pool's own check and the task.
  expect(called).toEqual({ [CHECKED]: 3, [INSIDE]: 0, configured: 0 });

  leadsTo = INSIDE;
  await pool.run(ask, signal);
  expect(called).toEqual({ [CHECKED]: 3, [INSIDE]: 0, configured: 2 });
  expect(pool.status()[0]?.lastError?.code).toBe('outbound_refused');
  await expect(pools.settings.check(chain, url, signal)).rejects.toMatchObject({ code: 'outbound_refused' });

  pools.settings.use([]);
  expect(pool.names).toHaveLength(1);
  pools.close();
  await Promise.all(clients.map((client) => client.close()));
});
