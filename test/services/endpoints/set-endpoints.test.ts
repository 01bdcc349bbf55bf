import { afterAll, beforeAll, expect, it } from 'vitest';
import { request } from '../../support/request.ts';
import { type ProxiedCall, type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const NOWHERE = 'http://127.0.0.1:9';
const WALLET = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
let database: TestDatabase;
let node: RpcProxy;
let instances: readonly ServiceProcess[];

/** As far as a node is needed here: it says which chain it serves, and fails at all else. */
function serving(chainId: string): RpcProxy['intercept'] {
  return ({ method }: ProxiedCall) =>
    method === 'eth_chainId' ? { result: chainId } : { error: { code: -32000, message: 'not today' } };
}

beforeAll(async () => {
  [database, node] = await Promise.all([createTestDatabase(), startRpcProxy(NOWHERE)]);
  const environment = isolatedEnvironment({
    DATABASE_URL: database.url,
    OUTBOUND_ALLOW: new URL(node.url).host,
    LOG_LEVEL: 'debug',
    // Proxies of the environment would do what the guard does not let happen.
    HTTP_PROXY: NOWHERE,
    NODE_USE_ENV_PROXY: '1',
  });
  instances = await Promise.all([startServiceProcess({ environment }), startServiceProcess({ environment })]);
});
afterAll(async () => {
  await Promise.all(instances.map((instance) => instance.stop()));
  await Promise.all([node.close(), database.close()]);
});

const api = (index: number) => request(`${instances[index]?.url}/api/v1`);
const namesOn = async (index: number): Promise<string[]> => {
  const { body } = await api(index).get('/providers').expect(200);
  const { endpoints } = body.providers.find(({ chain }: { chain: string }) => chain === 'ethereum');
  return endpoints.map(({ name }: { name: string }) => name);
};

it('an endpoint is set on one instance, used by all without a restart, and gone from all once it is deleted', async () => {
  const host = new URL(node.url).host;
  const configured = new URL(NOWHERE).host;
  const body = { chain: 'ethereum', url: `${node.url}/v2/CANARY-of-the-key` };
  node.intercept = serving('0x89');
  const wrong = await api(0).post('/rpc-endpoints').send(body).expect(422);
  expect(wrong.body).toMatchObject({ code: 'endpoint_unusable', detail: 'The endpoint serves another chain than Ethereum.' });
  node.intercept = serving('0x1');
  const added = await api(0).post('/rpc-endpoints').send(body).expect(201);
  expect(added.body).toMatchObject({ chain: 'ethereum', endpoint: host });
  await api(1).post('/rpc-endpoints').send(body).expect(409);
  expect(await namesOn(0)).toEqual([host, configured]);
  await expect.poll(() => namesOn(1), { timeout: 20_000 }).toEqual([host, configured]);
  expect((await api(1).get('/rpc-endpoints').expect(200)).body.rpc_endpoints).toEqual([added.body]);

  node.calls = [];
  const wallet = await api(1).post('/wallets').send({ address: WALLET, chain: 'ethereum' }).expect(201);
  const fetched = await api(1).post(`/wallets/${wallet.body.id}/fetch`).set('prefer', 'wait=30');
  expect(fetched.status).toBeLessThan(300);
  expect(node.calls.length).toBeGreaterThan(0);

  await api(1).delete(`/rpc-endpoints/${added.body.id}`).expect(204);
  expect(await namesOn(1)).toEqual([configured]);
  await expect.poll(() => namesOn(0), { timeout: 20_000 }).toEqual([configured]);
  const told = await Promise.all(['/providers', '/chains', '/metrics', '/rpc-endpoints'].map((path) => api(0).get(path)));
  const lines = instances.flatMap((instance) => instance.lines);
  expect([...lines, wrong.text, added.text, fetched.text, ...told.map(({ text }) => text)].join('\n')).not.toContain('CANARY');
});

it.each([
  ['another port of the same machine', 'http://127.0.0.1:9/'],
  ['the service itself by a name', 'http://localhost:80/'],
  ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data/'],
  ['what is no URL', 'rpc.example'],
])('%s is refused, and nothing is called', async (_, url) => {
  node.calls = [];
  const { body } = await api(0).post('/rpc-endpoints').send({ chain: 'ethereum', url }).expect(400);
  expect(body.code).toBe('outbound_refused');
  expect(node.calls).toEqual([]);
});
