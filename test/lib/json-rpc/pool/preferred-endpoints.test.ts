import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FaultServer, startFaultServer } from '../../../../localnet/fault-server.ts';
import { AppError } from '../../../../src/domain/errors.ts';
import { createHttpClient } from '../../../../src/lib/http-client.ts';
import { createEndpointPool } from '../../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createRpcEndpoint, type RpcEndpoint } from '../../../../src/lib/json-rpc/rpc-endpoint.ts';

const http = createHttpClient();
const { signal } = new AbortController();
let servers: readonly FaultServer[];

beforeEach(async () => {
  servers = await Promise.all([startFaultServer(), startFaultServer(), startFaultServer()]);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

function open(index: number): RpcEndpoint {
  return createRpcEndpoint({ url: servers[index]?.url() ?? '', family: 'evm', http, timeoutMs: 300 });
}

async function ask(endpoint: RpcEndpoint): Promise<string> {
  await endpoint.call({ method: 'echo', params: ['hello'] }, { signal });
  return endpoint.name;
}

it('endpoints that are set are asked first, in their order, and no more once they are taken back', async () => {
  const [configured, mine, other] = [open(0), open(1), open(2)] as const;
  const pool = createEndpointPool({ endpoints: [configured], verify: async () => undefined });
  expect(await pool.run(ask, signal)).toBe(configured.name);
  pool.prefer([mine, other]);
  expect(pool.names).toEqual([mine.name, other.name, configured.name]);
  expect(pool.status().map(({ name }) => name)).toEqual(pool.names);
  expect(await pool.run(ask, signal)).toBe(mine.name);
  pool.prefer([other]);
  expect(await pool.run(ask, signal)).toBe(other.name);
  pool.prefer([]);
  expect(pool.names).toEqual([configured.name]);
  expect(await pool.run(ask, signal)).toBe(configured.name);
  pool.close();
});

it('one that stays keeps its state, and one that fails hands on to the next', async () => {
  const [configured, mine] = [open(0), open(1)] as const;
  const verify = async (endpoint: RpcEndpoint): Promise<void> => {
    if (endpoint === mine) throw new AppError('upstream_wrong_chain', 'Another chain.', { provider: mine.name });
  };
  const pool = createEndpointPool({ endpoints: [configured], verify });
  pool.prefer([mine]);
  expect(await pool.run(ask, signal)).toBe(configured.name);
  pool.prefer([mine]);
  expect(pool.status().map(({ state }) => state)).toEqual(['wrong_chain', 'alive']);
  pool.close();
});

it('one that the guard refuses is passed over like one that is down', async () => {
  const refusing = { ...http, send: () => Promise.reject(new AppError('outbound_refused', 'Not there.')) };
  const mine = createRpcEndpoint({ url: 'https://rebound.example/', family: 'evm', http: refusing });
  const pool = createEndpointPool({ endpoints: [open(0)], verify: async () => undefined });
  pool.prefer([mine]);
  for (let run = 0; run < 3; run += 1) expect(await pool.run(ask, signal)).not.toBe(mine.name);
  expect(pool.status()[0]?.lastError?.code).toBe('outbound_refused');
  pool.close();
});
