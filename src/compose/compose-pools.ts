import { probeEvmHead, verifyEvmChain } from '../adapters/evm/evm-block.ts';
import { fetchSlot, verifySolanaCluster } from '../adapters/solana/solana-cluster.ts';
import type { Config } from '../config.ts';
import type { Chain } from '../domain/chain.ts';
import { chains } from '../domain/chains.ts';
import type { HttpClient } from '../lib/http-client.ts';
import { type CallBudget, createCallBudget } from '../lib/json-rpc/guard/call-budget.ts';
import type { Verify } from '../lib/json-rpc/pool/endpoint-member.ts';
import { createEndpointPool, type EndpointPool } from '../lib/json-rpc/pool/endpoint-pool.ts';
import type { EndpointStatus } from '../lib/json-rpc/pool/endpoint-status.ts';
import { createRpcEndpoint, type RpcEndpoint } from '../lib/json-rpc/rpc-endpoint.ts';
import type { Logger } from '../lib/logger.ts';
import { maskUrl } from '../lib/mask-url.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { EndpointPools } from '../services/rpc-endpoint-service.ts';
import type { OutboundWay } from './compose-outbound.ts';

/** The endpoints of all chains. */
export type Pools = {
  /** One for every chain. */
  readonly all: readonly { readonly chain: Chain; readonly pool: EndpointPool }[];
  /** Their masked names, by chain slug. */
  readonly endpointNames: () => ReadonlyMap<string, readonly string[]>;
  /** How they are, by chain slug, as this process sees them. */
  readonly endpointStates: () => ReadonlyMap<string, readonly EndpointStatus[]>;
  /** Those that are set while the service runs. */
  readonly settings: EndpointPools;
  /** Ends what runs in the background. */
  close(): void;
};

export type PoolDeps = {
  /** For the endpoints of the configuration, which are the operator's own word. */
  readonly http: HttpClient;
  /** For those that users have set. */
  readonly guarded: OutboundWay;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'onRpc' | 'onHedge' | 'onScrape' | 'setEndpoints'>;
};

/** Makes a pool for every chain over the configured endpoints. */
export function composePools(config: Config, deps: PoolDeps): Pools {
  const { http, guarded, log, metrics } = deps;
  const budgetOf = createBudgets(config);
  const open = ({ slug, family }: Chain, url: string, by: HttpClient): RpcEndpoint => {
    const budget = budgetOf(url);
    const endpoint = maskUrl(url);
    const onCall: Parameters<typeof createRpcEndpoint>[0]['onCall'] = (report) =>
      metrics.onRpc({ ...report, chain: slug, endpoint });
    return createRpcEndpoint({ url, family, http: by, onCall, ...(budget === undefined ? {} : { budget }) });
  };
  const all = chains.map((chain) => {
    const endpoints = (config.rpcUrls.get(chain.slug) ?? []).map((url) => open(chain, url, http));
    return { chain, pool: createPool(chain, endpoints, { log, metrics }) };
  });
  const endpointStates = (): ReadonlyMap<string, readonly EndpointStatus[]> =>
    new Map(all.map(({ chain, pool }) => [chain.slug, pool.status()]));
  metrics.onScrape(() => {
    for (const [slug, endpoints] of endpointStates()) metrics.setEndpoints(slug, endpoints);
  });
  let opened = new Map<string, RpcEndpoint>();
  return {
    all,
    endpointNames: () => new Map(all.map(({ chain, pool }) => [chain.slug, pool.names])),
    endpointStates,
    settings: {
      async check(chain, url, signal) {
        const { href } = await guarded.guard.check(url);
        await verifierOf(chain)(open(chain, href, guarded.http), signal);
        return href;
      },
      use(settings) {
        const before = opened;
        opened = new Map();
        for (const { chain, pool } of all) {
          const own = settings.filter((setting) => setting.chain === chain.slug);
          for (const { id, url } of own) opened.set(id, before.get(id) ?? open(chain, url, guarded.http));
          pool.prefer(own.flatMap(({ id }) => opened.get(id) ?? []));
        }
      },
    },
    close() {
      for (const { pool } of all) pool.close();
    },
  };
}

/** The budget of each host, shared by its endpoints on all chains. Processes that share it take equal parts. */
function createBudgets({ rpcBudgets, instanceCount, hasWorker }: Config): (url: string) => CallBudget | undefined {
  // Beside instances that are no workers there is one.
  const processCount = hasWorker ? instanceCount : instanceCount + 1;
  const budgets = new Map<string, CallBudget>();
  for (const [host, { perSecond, perDay }] of rpcBudgets) {
    const limits = {
      perSecond: perSecond === null ? null : perSecond / processCount,
      perDay: perDay === null ? null : Math.floor(perDay / processCount),
    };
    budgets.set(host, createCallBudget(limits));
  }
  return (url) => {
    const { host, hostname } = new URL(url);
    return budgets.get(host) ?? budgets.get(hostname);
  };
}

function createPool(
  chain: Chain,
  endpoints: readonly RpcEndpoint[],
  { log, metrics }: Pick<PoolDeps, 'log' | 'metrics'>,
): EndpointPool {
  return createEndpointPool({
    endpoints,
    verify: verifierOf(chain),
    probeHead: chain.family === 'evm' ? probeEvmHead(chain) : fetchSlot,
    blockTimeMs: chain.finality.blockTimeMs,
    onState: ({ endpoint, from, to }) => {
      const level = to === 'alive' || to === 'probing' ? 'info' : 'warn';
      log[level]({ chain: chain.slug, endpoint, from, to }, 'an endpoint changed its state');
    },
    onHedge: ({ won }) => metrics.onHedge({ chain: chain.slug, won }),
  });
}

function verifierOf(chain: Chain): Verify {
  return chain.family === 'evm' ? verifyEvmChain(chain) : verifySolanaCluster(chain);
}
