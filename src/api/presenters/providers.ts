import type { EndpointStatus } from '../../lib/json-rpc/pool/endpoint-status.ts';
import type { EndpointWire } from '../schemas/providers.ts';
import { presentBlockNumber } from './figures.ts';

/** An endpoint, as operators are told of it. */
export function presentEndpoint(status: EndpointStatus): EndpointWire {
  const { head, lagBlocks, budget, latencyP95Ms, lastError } = status;
  return {
    name: status.name,
    state: status.state,
    since: status.since.toISOString(),
    head: head === null ? null : presentBlockNumber(head),
    lag_blocks: lagBlocks === null ? null : presentBlockNumber(lagBlocks),
    breaker: status.breaker,
    failures: status.failures,
    rate_limit_rps: Math.round(status.rateLimitRps * 100) / 100,
    budget: { per_second: budget.perSecond, per_day: budget.perDay, used_today: budget.usedToday },
    latency_p95_ms: latencyP95Ms === null ? null : Math.round(latencyP95Ms),
    last_error: lastError === null ? null : { code: lastError.code, at: lastError.at.toISOString() },
    in_use: status.isInUse,
    last_usable: status.isLastUsable,
  };
}
