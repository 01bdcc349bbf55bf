import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ErrorCode } from '../../domain/errors.ts';
import { ENDPOINT_STATES, type EndpointState } from '../json-rpc/pool/endpoint-state.ts';

/** One HTTP request to an endpoint of a chain. `endpoint` is its masked name, `method` one of those that adapters use. */
type RpcRequest = {
  readonly chain: string;
  readonly endpoint: string;
  readonly method: string;
  readonly outcome: 'ok' | ErrorCode;
  readonly seconds: number;
};

/** How an endpoint stands; null for what is not known of it. */
type EndpointGauges = {
  readonly name: string;
  readonly state: EndpointState;
  readonly breaker: 'closed' | 'open' | 'half_open';
  readonly lagBlocks: bigint | null;
  readonly rateLimitRps: number;
  readonly budget: { readonly usedToday: number };
  /** Whether its chain is read at all; if not, nobody finds out how it is. */
  readonly isInUse: boolean;
};

export type RpcMetrics = {
  readonly onRpc: (request: RpcRequest) => void;
  /** A second endpoint was asked because the first one was slow. */
  readonly onHedge: (hedge: { readonly chain: string; readonly won: boolean }) => void;
  /** One question to a price or currency source; `outcome` is `ok` or the code of the failure. */
  readonly onPriceSource: (call: { readonly source: string; readonly outcome: string; readonly seconds: number }) => void;
  readonly setEndpoints: (chain: string, endpoints: readonly EndpointGauges[]) => void;
};

const BUCKETS_SECONDS = [0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The outcomes that a dashboard tells apart; every other failure is `failed`. */
const OUTCOMES: ReadonlyMap<string, string> = new Map([
  ['ok', 'ok'],
  ['upstream_timeout', 'timeout'],
  ['upstream_unreachable', 'unreachable'],
  ['upstream_rate_limited', 'rate_limited'],
  ['upstream_unauthorized', 'unauthorized'],
  ['upstream_wrong_chain', 'wrong_chain'],
  ['upstream_status', 'status'],
  ['upstream_malformed', 'malformed'],
  ['upstream_too_large', 'malformed'],
  ['upstream_redirect', 'malformed'],
  ['upstream_encoding', 'malformed'],
  ['upstream_rpc_error', 'rpc_error'],
  ['upstream_reverted', 'rpc_error'],
  ['upstream_out_of_gas', 'rpc_error'],
  ['upstream_block_unavailable', 'rpc_error'],
  ['upstream_no_history', 'unsupported'],
  ['upstream_unsupported', 'unsupported'],
  ['upstream_aborted', 'aborted'],
]);

/** What the endpoints of chains and the price sources answer, how fast, and how they stand. */
export function createRpcMetrics(registry: Registry): RpcMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'rpc_requests_total',
    help: 'Requests to endpoints of chains.',
    labelNames: ['chain', 'endpoint', 'method', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'rpc_request_duration_seconds',
    help: 'Time of one request to an endpoint, good or bad.',
    labelNames: ['chain', 'endpoint'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const hedges = new Counter({
    name: 'rpc_hedges_total',
    help: 'Second requests sent because the first one was slow.',
    labelNames: ['chain', 'result'],
    registers,
  });
  const priceRequests = new Histogram({
    name: 'price_source_request_duration_seconds',
    help: 'Time that a price or currency source took for one question.',
    labelNames: ['source', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  return {
    onRpc({ chain, endpoint, method, outcome, seconds }) {
      requests.inc({ chain, endpoint, method, outcome: toOutcome(outcome) });
      duration.observe({ chain, endpoint }, seconds);
    },
    onHedge: ({ chain, won }) => hedges.inc({ chain, result: won ? 'won' : 'lost' }),
    onPriceSource: ({ source, outcome, seconds }) => priceRequests.observe({ source, outcome: toOutcome(outcome) }, seconds),
    setEndpoints: createEndpointGauges(registry),
  };
}

function toOutcome(code: string): string {
  return OUTCOMES.get(code) ?? 'failed';
}

function createEndpointGauges(registry: Registry): RpcMetrics['setEndpoints'] {
  const registers = [registry];
  const labelNames = ['chain', 'endpoint'];
  const state = new Gauge({
    name: 'rpc_endpoint_state',
    help: '1 for the state that an endpoint is in, 0 for the others.',
    labelNames: [...labelNames, 'state'],
    registers,
  });
  const lag = new Gauge({ name: 'rpc_head_lag_blocks', help: 'Blocks behind the best endpoint.', labelNames, registers });
  const limit = new Gauge({
    name: 'rpc_rate_limit_rps',
    help: 'Requests a second that an endpoint has shown to bear.',
    labelNames,
    registers,
  });
  const used = new Gauge({ name: 'rpc_quota_used', help: 'Requests sent to an endpoint this day (UTC).', labelNames, registers });
  const breaker = new Gauge({ name: 'rpc_breaker_open', help: '1 while an endpoint is asked nothing.', labelNames, registers });
  return (chain, endpoints) => {
    for (const endpoint of endpoints) {
      const labels = { chain, endpoint: endpoint.name };
      for (const one of ENDPOINT_STATES) {
        setOrRemove(state, { ...labels, state: one }, endpoint.isInUse ? Number(one === endpoint.state) : null);
      }
      setOrRemove(lag, labels, endpoint.isInUse && endpoint.lagBlocks !== null ? Number(endpoint.lagBlocks) : null);
      limit.set(labels, endpoint.rateLimitRps);
      used.set(labels, endpoint.budget.usedToday);
      breaker.set(labels, endpoint.breaker === 'closed' ? 0 : 1);
    }
  };
}

/** What is not known has no figure: a zero would be one. */
function setOrRemove(gauge: Gauge, labels: Readonly<Record<string, string>>, value: number | null): void {
  if (value === null) gauge.remove(labels);
  else gauge.set(labels, value);
}
