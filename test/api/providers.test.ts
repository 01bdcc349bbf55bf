import { describe, expect, it } from 'vitest';
import type { EndpointStatus } from '../../src/lib/json-rpc/pool/endpoint-status.ts';
import { createTestApi } from '../support/test-api.ts';

const SINCE = new Date('2026-11-21T09:00:00Z');

function buildStatus(overrides: Partial<EndpointStatus> = {}): EndpointStatus {
  return {
    name: 'rpc.example',
    state: 'alive',
    since: SINCE,
    head: 100n,
    lagBlocks: 0n,
    breaker: 'closed',
    failures: 0,
    rateLimitRps: 20,
    budget: { perSecond: null, perDay: null, usedToday: 3 },
    latencyP95Ms: 12.6,
    lastError: null,
    isInUse: true,
    isLastUsable: false,
    ...overrides,
  };
}

describe('GET /providers', () => {
  it('lists every endpoint by chain, in order of preference', async () => {
    const states = new Map([
      ['ethereum', [buildStatus(), buildStatus({ name: 'other.example', isLastUsable: true })]],
      ['solana', []],
    ]);
    const { body, headers } = await createTestApi({}, { endpointStates: () => states }).call('GET', '/providers');
    expect(headers['cache-control']).toBe('no-store');
    expect(body.providers.map(({ chain }: { chain: string }) => chain)).toEqual(['ethereum', 'solana']);
    expect(body.providers[0].endpoints).toEqual([
      {
        name: 'rpc.example',
        state: 'alive',
        since: '2026-11-21T09:00:00.000Z',
        head: 100,
        lag_blocks: 0,
        breaker: 'closed',
        failures: 0,
        rate_limit_rps: 20,
        budget: { per_second: null, per_day: null, used_today: 3 },
        latency_p95_ms: 13,
        last_error: null,
        in_use: true,
        last_usable: false,
      },
      expect.objectContaining({ name: 'other.example', last_usable: true }),
    ]);
  });

  it('tells what is wrong with an endpoint, and null for what is not known', async () => {
    const status = buildStatus({
      state: 'unreachable',
      head: null,
      lagBlocks: null,
      breaker: 'open',
      failures: 5,
      rateLimitRps: 0.123_456,
      budget: { perSecond: 0.5, perDay: 1_000, usedToday: 1_000 },
      latencyP95Ms: null,
      lastError: { code: 'upstream_timeout', at: SINCE },
    });
    const api = createTestApi({}, { endpointStates: () => new Map([['base', [status]]]) });
    const { body } = await api.call('GET', '/providers');
    expect(body.providers[0].endpoints[0]).toMatchObject({
      state: 'unreachable',
      head: null,
      lag_blocks: null,
      breaker: 'open',
      rate_limit_rps: 0.12,
      budget: { per_second: 0.5, per_day: 1_000, used_today: 1_000 },
      latency_p95_ms: null,
      last_error: { code: 'upstream_timeout', at: '2026-11-21T09:00:00.000Z' },
    });
  });
});
