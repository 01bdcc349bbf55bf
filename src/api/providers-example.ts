import type { EndpointWire, ProvidersWire } from './schemas/providers.ts';

const SINCE = '2026-11-21T09:00:00.000Z';

const alive: EndpointWire = {
  name: 'ethereum-rpc.publicnode.com',
  state: 'alive',
  since: SINCE,
  head: 23_850_112,
  lag_blocks: 0,
  breaker: 'closed',
  failures: 0,
  rate_limit_rps: 20,
  budget: { per_second: null, per_day: null, used_today: 412 },
  latency_p95_ms: 180,
  last_error: null,
  in_use: true,
  last_usable: true,
};

/** What `GET /providers` answers. */
export const providersExample: ProvidersWire = {
  providers: [
    {
      chain: 'ethereum',
      endpoints: [
        alive,
        {
          ...alive,
          name: 'eth.drpc.org',
          state: 'unreachable',
          head: 23_849_020,
          lag_blocks: 3,
          breaker: 'open',
          failures: 5,
          budget: { per_second: 10, per_day: 100_000, used_today: 2_310 },
          latency_p95_ms: 5_000,
          last_error: { code: 'upstream_timeout', at: '2026-11-21T12:00:00.000Z' },
          last_usable: false,
        },
      ],
    },
  ],
};
