import { describe, expect, it, vi } from 'vitest';
import { chains } from '../../src/domain/chains.ts';
import { AppError } from '../../src/domain/errors.ts';
import type { RpcEndpointSetting } from '../../src/domain/rpc-endpoint.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { createRpcEndpointService } from '../../src/services/rpc-endpoint-service.ts';
import { NOW } from '../support/builders.ts';
import { ownerOf } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const ENDPOINT: RpcEndpointSetting = {
  id: '0198e000-0000-7000-8000-000000000001',
  chain: 'ethereum',
  url: 'https://abcdef0123456789abcdef0.rpc.example/v2/CANARY?key=CANARY',
  createdAt: NOW,
};
const SHOWN = { id: ENDPOINT.id, chain: 'ethereum', endpoint: '***.rpc.example', created_at: '2026-11-21T12:00:00.000Z' };

/** The real service over stubs, for whoever asks. */
function setUp({
  tenantId = DEFAULT_TENANT_ID,
  check = vi.fn(async () => ENDPOINT.url),
  added = ENDPOINT as RpcEndpointSetting | 'exists' | 'full',
} = {}) {
  const use = vi.fn();
  const store = {
    list: async () => [ENDPOINT],
    add: vi.fn(async () => added),
    remove: async (_: string, id: string) => id === ENDPOINT.id,
  };
  const rpcEndpoints = createRpcEndpointService({ store, chains, pools: { check, use }, log: { warn: () => undefined } });
  const api = createTestApi({ rpcEndpoints }, { authenticate: async () => ownerOf(tenantId) });
  return { api, use, store, check };
}

const BODY = { chain: 'ethereum', url: ENDPOINT.url };

describe('endpoints that are set', () => {
  it('are checked, taken up at once and shown masked only', async () => {
    const { api, use, check } = setUp();
    const { status, body, headers } = await api.call('POST', '/rpc-endpoints', { body: BODY });
    expect(status).toBe(201);
    expect(body).toEqual(SHOWN);
    expect(headers.location).toBe(`/api/v1/rpc-endpoints/${ENDPOINT.id}`);
    expect(check).toHaveBeenCalledWith(expect.objectContaining({ slug: 'ethereum' }), ENDPOINT.url, expect.any(AbortSignal));
    expect(use).toHaveBeenCalledWith([ENDPOINT]);
    const list = await api.call('GET', '/rpc-endpoints');
    expect(list.body).toEqual({ rpc_endpoints: [SHOWN] });
    expect(JSON.stringify([body, list.body])).not.toContain('CANARY');
  });

  it('are gone once they are deleted', async () => {
    const { api, use } = setUp();
    expect((await api.call('DELETE', `/rpc-endpoints/${ENDPOINT.id}`)).status).toBe(204);
    expect(use).toHaveBeenCalled();
    const other = await api.call('DELETE', '/rpc-endpoints/0198e000-0000-7000-8000-000000000002');
    expect(other.body).toMatchObject({ status: 404, code: 'endpoint_not_found' });
  });

  it.each([
    ['outbound_refused', 400, 'outbound_refused', 'Not there.'],
    ['upstream_timeout', 422, 'endpoint_unusable', 'No endpoint of Ethereum answers there.'],
    ['upstream_unreachable', 422, 'endpoint_unusable', 'No endpoint of Ethereum answers there.'],
    ['upstream_unauthorized', 422, 'endpoint_unusable', 'No endpoint of Ethereum answers there.'],
    ['upstream_malformed', 422, 'endpoint_unusable', 'No endpoint of Ethereum answers there.'],
    ['upstream_wrong_chain', 422, 'endpoint_unusable', 'The endpoint serves another chain than Ethereum.'],
  ] as const)('%s on the way there is told without a word about the network', async (thrown, status, code, detail) => {
    const check = vi.fn(() => Promise.reject(new AppError(thrown, 'Not there.', { provider: 'secret.lan' })));
    const { api, store } = setUp({ check });
    const { body } = await api.call('POST', '/rpc-endpoints', { body: BODY });
    expect(body).toMatchObject({ status, code, detail });
    expect(JSON.stringify(body)).not.toMatch(/secret\.lan|CANARY/);
    expect(store.add).not.toHaveBeenCalled();
  });

  it.each([
    ['exists', 409, 'conflict'],
    ['full', 403, 'quota_exceeded'],
  ] as const)('that are %s are refused', async (added, status, code) => {
    const { body } = await setUp({ added }).api.call('POST', '/rpc-endpoints', { body: BODY });
    expect(body).toMatchObject({ status, code });
  });

  it.each([
    [{ ...BODY, chain: 'nowhere' }, 'unknown_chain'],
    [{ ...BODY, extra: 1 }, 'invalid_request'],
    [{ chain: 'ethereum' }, 'invalid_request'],
    [{ ...BODY, url: `https://rpc.example/${'a'.repeat(2_100)}` }, 'invalid_request'],
  ])('%j is not taken', async (body, code) => {
    const answer = await setUp().api.call('POST', '/rpc-endpoints', { body });
    expect(answer.body).toMatchObject({ status: 400, code });
  });

  it('are for the owner of the service alone', async () => {
    const { api, check } = setUp({ tenantId: '0198e000-0000-7000-8000-00000000000f' });
    for (const answer of [
      await api.call('GET', '/rpc-endpoints'),
      await api.call('POST', '/rpc-endpoints', { body: BODY }),
      await api.call('DELETE', `/rpc-endpoints/${ENDPOINT.id}`),
    ]) {
      expect(answer.body).toMatchObject({ status: 403, code: 'forbidden' });
    }
    expect(check).not.toHaveBeenCalled();
  });
});
