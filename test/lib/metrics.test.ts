import { describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts';

function create(): Metrics {
  return createMetrics({ version: '1.2.3' });
}

async function read(metrics: Metrics, name: string): Promise<readonly string[]> {
  const lines = (await metrics.scrape()).split('\n');
  return lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
}

describe('requests', () => {
  it('are counted and timed by method, template and class', async () => {
    const metrics = create();
    for (const [status, seconds] of [
      [200, 0.002],
      [304, 0.002],
      [503, 3],
    ] as const) {
      metrics.onRequestStart();
      metrics.onRequestEnd({ method: 'GET', route: '/api/v1/wallets/{id}', status, seconds });
    }
    const labels = 'method="GET",route="/api/v1/wallets/{id}"';
    expect(await read(metrics, 'http_requests_total')).toEqual(
      ['2xx', '3xx', '5xx'].map((statusClass) => `http_requests_total{${labels},status_class="${statusClass}"} 1`),
    );
    expect(await read(metrics, 'http_request_duration_seconds_sum')).toEqual([
      `http_request_duration_seconds_sum{${labels}} 3.004`,
    ]);
    expect(await read(metrics, 'http_requests_in_flight')).toEqual(['http_requests_in_flight 0']);
  });

  it('that are being served, cut off, unknown, or sent by an odd method have labels too', async () => {
    const metrics = create();
    metrics.onRequestStart();
    metrics.onRequestStart();
    metrics.onRequestEnd({ method: 'BREW', route: null, status: null, seconds: 1 });
    expect(await read(metrics, 'http_requests_in_flight')).toEqual(['http_requests_in_flight 1']);
    expect(await read(metrics, 'http_requests_total')).toEqual([
      'http_requests_total{method="other",route="unknown",status_class="cut_off"} 1',
    ]);
  });
});

it('streams are counted, but not timed', async () => {
  const metrics = create();
  metrics.onRequestStart();
  metrics.onRequestEnd({ method: 'GET', route: '/api/v1/events', status: 200, seconds: null });
  expect(await read(metrics, 'http_requests_total')).toHaveLength(1);
  expect(await read(metrics, 'http_request_duration_seconds_count')).toEqual([]);
});

describe('endpoints', () => {
  const endpoint = {
    name: 'eth.example',
    state: 'alive',
    breaker: 'closed',
    lagBlocks: 2n,
    rateLimitRps: 25,
    budget: { usedToday: 7 },
    isInUse: true,
  } as const;

  it('are in one state at a time, and what is not known of them has no figure', async () => {
    const metrics = create();
    metrics.setEndpoints('ethereum', [endpoint]);
    expect(await read(metrics, 'rpc_head_lag_blocks')).toEqual([
      'rpc_head_lag_blocks{chain="ethereum",endpoint="eth.example"} 2',
    ]);
    metrics.setEndpoints('ethereum', [{ ...endpoint, state: 'unreachable', breaker: 'open', lagBlocks: null }]);
    const states = await read(metrics, 'rpc_endpoint_state');
    expect(states).toHaveLength(7);
    expect(states.filter((line) => line.endsWith(' 1'))).toEqual([
      'rpc_endpoint_state{chain="ethereum",endpoint="eth.example",state="unreachable"} 1',
    ]);
    expect(await read(metrics, 'rpc_head_lag_blocks')).toEqual([]);
    metrics.setEndpoints('base', [{ ...endpoint, isInUse: false }]);
    expect(await read(metrics, 'rpc_endpoint_state')).toEqual(states);
    metrics.setEndpoints('ethereum', [{ ...endpoint, isInUse: false }]);
    expect(await read(metrics, 'rpc_endpoint_state')).toEqual([]);
    metrics.setEndpoints('ethereum', [{ ...endpoint, breaker: 'open' }]);
    expect(await read(metrics, 'rpc_breaker_open')).toEqual([
      'rpc_breaker_open{chain="ethereum",endpoint="eth.example"} 1',
      'rpc_breaker_open{chain="base",endpoint="eth.example"} 0',
    ]);
  });

  it('answer with a dozen outcomes at the most, whatever goes wrong', async () => {
    const metrics = create();
    const codes = [
      'ok',
      'upstream_timeout',
      'upstream_redirect',
      'upstream_encoding',
      'upstream_no_endpoint',
      'internal',
    ] as const;
    for (const outcome of codes) {
      metrics.onRpc({ chain: 'base', endpoint: 'b.example', method: 'eth_call', outcome, seconds: 0.1 });
    }
    const outcomes = (await read(metrics, 'rpc_requests_total')).map((line) => /outcome="(\w+)"\} (\d)/.exec(line)?.slice(1, 3));
    expect(outcomes).toEqual([
      ['ok', '1'],
      ['timeout', '1'],
      ['malformed', '2'],
      ['failed', '2'],
    ]);
    metrics.onPriceSource({ source: 'defillama', outcome: 'words of a stranger', seconds: 1 });
    expect(await read(metrics, 'price_source_request_duration_seconds_count')).toEqual([
      'price_source_request_duration_seconds_count{source="defillama",outcome="failed"} 1',
    ]);
  });
});

describe('the age of the data', () => {
  it('is unknown until it was asked for, then goes on growing by itself', async () => {
    const metrics = create();
    expect(await read(metrics, 'portfolio_data_age_seconds')).toEqual([]);
    const readAt = new Date(Date.now() - 90_000);
    metrics.setDataTimes({
      oldestReadings: new Map([['ethereum', readAt]]),
      newestQuotes: new Map([['defillama', readAt]]),
      newestSnapshots: new Map([['any', readAt]]),
    });
    const age = async (name: string) => Number((await read(metrics, name))[0]?.split(' ')[1]);
    const first = await age('portfolio_data_age_seconds');
    expect(first).toBeGreaterThanOrEqual(90);
    expect(await age('price_age_seconds')).toBeGreaterThanOrEqual(first);
  });

  it('is told no more of a chain that nobody follows any longer', async () => {
    const metrics = create();
    metrics.setDataTimes({
      oldestReadings: new Map([['ethereum', new Date()]]),
      newestQuotes: new Map(),
      newestSnapshots: new Map(),
    });
    expect(await read(metrics, 'portfolio_data_age_seconds')).toHaveLength(1);
    metrics.setDataTimes({ oldestReadings: new Map(), newestQuotes: new Map(), newestSnapshots: new Map() });
    expect(await read(metrics, 'portfolio_data_age_seconds')).toEqual([]);
  });
});

it('tells storage, jobs, limits, answers and readiness as they were heard of', async () => {
  const metrics = create();
  metrics.onQuery({ pool: 'primary', isGood: false, seconds: 0.2 });
  metrics.onRedis({ client: 'cache', isGood: true, seconds: 0.001 });
  metrics.onCache('stale');
  metrics.onLimiter({ mode: 'memory', isAllowed: false });
  metrics.onPartialAnswer(['source_failed', 'unpriced']);
  metrics.onJob({ job: 'prices', isGood: true, seconds: 2 });
  metrics.onJob({ job: 'sweep', isGood: false, seconds: 2 });
  metrics.setQueue('jobs', { waiting: 3, active: 1, delayed: 0, deadLetters: 2, oldestAgeSeconds: 40 });
  metrics.setBacklogs([{ chain: 'base', due: 7, oldestDueSeconds: 12.5, claimed: 3 }]);
  metrics.setReadiness({ status: 'degraded', isDraining: false, isDatabaseUp: true });
  metrics.onScrape(() => metrics.setPool('primary', { total: 5, idle: 2, waiting: 0 }));
  const text = await metrics.scrape();
  for (const line of [
    'database_query_duration_seconds_count{pool="primary",outcome="error"} 1',
    'redis_command_duration_seconds_count{client="cache",outcome="ok"} 1',
    'cache_requests_total{result="stale"} 1',
    'rate_limiter_decisions_total{decision="refused",mode="memory"} 1',
    'rate_limiter_memory_mode 1',
    'portfolio_partial_responses_total{reason="source_failed"} 1',
    'portfolio_partial_responses_total{reason="unpriced"} 1',
    'job_duration_seconds_count{job="sweep",outcome="error"} 1',
    'job_queue_depth{queue="jobs",state="waiting"} 3',
    'job_queue_oldest_age_seconds{queue="jobs"} 40',
    'job_dead_letters{queue="jobs"} 2',
    'schedule_wallets{chain="base",state="due"} 7',
    'schedule_wallets{chain="base",state="claimed"} 3',
    'schedule_oldest_due_seconds{chain="base"} 12.5',
    'service_ready 1',
    'database_up 1',
    'database_pool_connections{pool="primary"} 5',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toMatch(/^job_last_success_timestamp_seconds\{job="prices"\} \d{10}/m);
  expect(text).not.toContain('job_last_success_timestamp_seconds{job="sweep"}');
});
