import type { Config } from '../config.ts';
import type { HttpClient } from '../lib/http-client.ts';
import { createGuardedClient } from '../lib/outbound/guarded-client.ts';
import {
  createOutboundGuard,
  type OutboundGuard,
  type OutboundRules,
  RPC_RULES,
  WEBHOOK_RULES,
} from '../lib/outbound/outbound-guard.ts';
import type { Tracer } from '../lib/tracing.ts';
import { traceHttpClient } from '../lib/tracing-http.ts';

/** The way to what users tell the service to call. */
export type OutboundWay = {
  /** Asked before a URL is stored. */
  readonly guard: OutboundGuard;
  /** Calls it, guarded at every connection. */
  readonly http: HttpClient;
};

export type Outbound = {
  readonly webhooks: OutboundWay;
  readonly rpc: OutboundWay;
  close(): Promise<void>;
};

/** Makes what stands between URLs of users and the network. */
export function composeOutbound({ outboundAllow }: Config, { tracer }: { readonly tracer: Tracer }): Outbound {
  const wayOf = (rules: OutboundRules): OutboundWay => {
    const guard = createOutboundGuard({ rules, allowances: outboundAllow });
    return { guard, http: traceHttpClient(createGuardedClient(guard), tracer) };
  };
  const webhooks = wayOf(WEBHOOK_RULES);
  const rpc = wayOf(RPC_RULES);
  return {
    webhooks,
    rpc,
    async close() {
      await Promise.all([webhooks.http.close(), rpc.http.close()]);
    },
  };
}
