import { expect, it } from 'vitest';
import { composeChains } from '../../src/compose/compose-chains.ts';
import { loadConfig } from '../../src/config.ts';
import { createHttpClient } from '../../src/lib/http-client.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { createGuardedClient } from '../../src/lib/outbound/guarded-client.ts';
import { createOutboundGuard, RPC_RULES } from '../../src/lib/outbound/outbound-guard.ts';

const BUDGET = { perSecond: 12, perDay: 1_000 };

/** What one process with these settings takes of the budget. */
function partOf(settings: Readonly<Record<string, string>>): { perSecond: number; perDay: number } {
  const config = loadConfig({
    ETHEREUM_RPC_URLS: 'https://rpc.example/v2/one',
    RPC_BUDGETS: `rpc.example=${BUDGET.perSecond}/${BUDGET.perDay}`,
    ...settings,
  });
  const log = createLogger({ level: 'silent', secrets: [], destination: { write: () => undefined } });
  const guard = createOutboundGuard({ rules: RPC_RULES, allowances: [] });
  const { endpoints, close } = composeChains(config, {
    http: createHttpClient(),
    guarded: { guard, http: createGuardedClient(guard) },
    log,
    metrics: createMetrics({ version: '0' }),
  });
  const [endpoint] = endpoints.endpointStates().get('ethereum') ?? [];
  close();
  return { perSecond: endpoint?.budget.perSecond ?? 0, perDay: endpoint?.budget.perDay ?? 0 };
}

it('one process takes the whole budget of an endpoint', () => {
  expect(partOf({})).toEqual(BUDGET);
});

it('instances that work themselves share it', () => {
  expect(partOf({ INSTANCE_COUNT: '4' })).toEqual({ perSecond: 3, perDay: 250 });
});

it('a worker beside the instances takes a part as each of them does', () => {
  const part = partOf({ INSTANCE_COUNT: '2', EMBEDDED_WORKER: 'false' });
  expect(part).toEqual({ perSecond: 4, perDay: 333 });
  expect(3 * part.perSecond).toBeLessThanOrEqual(BUDGET.perSecond);
  expect(3 * part.perDay).toBeLessThanOrEqual(BUDGET.perDay);
});
