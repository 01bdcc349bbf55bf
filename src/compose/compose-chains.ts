import type { BalanceSource, NameResolver } from '../adapters/balance-source.ts';
import { createEnsResolver } from '../adapters/evm/ens-resolver.ts';
import { createEvmBalanceSource } from '../adapters/evm/evm-balance-source.ts';
import { probeEvmHead, verifyEvmChain } from '../adapters/evm/evm-block.ts';
import { createEvmCaller } from '../adapters/evm/evm-caller.ts';
import { createArchiveBalanceSource } from '../adapters/evm/past/archive-balance-source.ts';
import { createBlockFinder } from '../adapters/evm/past/archive-blocks.ts';
import { createArchiveCaller } from '../adapters/evm/past/archive-caller.ts';
import { createEvmTransferSource } from '../adapters/evm/transfers/evm-transfer-source.ts';
import type { EvmCaller, PastEvmCaller } from '../adapters/evm-caller.ts';
import type { PastBalanceSource } from '../adapters/past-balance-source.ts';
import { createSolNameResolver } from '../adapters/solana/sol-name-resolver.ts';
import { createSolanaBalanceSource } from '../adapters/solana/solana-balance-source.ts';
import { fetchSlot, verifySolanaCluster } from '../adapters/solana/solana-cluster.ts';
import { createSolanaTransferSource } from '../adapters/solana/transfers/solana-transfer-source.ts';
import type { TransferSource } from '../adapters/transfer-source.ts';
import type { Config } from '../config.ts';
import type { Chain, ChainFamily } from '../domain/chain.ts';
import { chains } from '../domain/chains.ts';
import type { HttpClient } from '../lib/http-client.ts';
import { type CallBudget, createCallBudget } from '../lib/json-rpc/guard/call-budget.ts';
import { createEndpointPool, type EndpointPool } from '../lib/json-rpc/pool/endpoint-pool.ts';
import type { EndpointStatus } from '../lib/json-rpc/pool/endpoint-status.ts';
import { createRpcEndpoint } from '../lib/json-rpc/rpc-endpoint.ts';
import type { Logger } from '../lib/logger.ts';
import { maskUrl } from '../lib/mask-url.ts';
import type { Metrics } from '../lib/metrics.ts';

/** Everything that speaks to chains. */
export type ChainAdapters = {
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  /** What moved, by chain slug. */
  readonly transfers: ReadonlyMap<string, TransferSource>;
  /** The past, by chain slug; EVM chains only. */
  readonly past: {
    readonly sources: ReadonlyMap<string, PastBalanceSource>;
    readonly callers: ReadonlyMap<string, PastEvmCaller>;
  };
  /** Calls of contracts, by chain slug; EVM chains only. */
  readonly callers: ReadonlyMap<string, EvmCaller>;
  readonly resolvers: readonly { readonly family: ChainFamily; readonly resolver: NameResolver }[];
  readonly endpoints: {
    /** By chain slug. */
    readonly endpointNames: ReadonlyMap<string, readonly string[]>;
    /** How the endpoints are, by chain slug, as this process sees them. */
    readonly endpointStates: () => ReadonlyMap<string, readonly EndpointStatus[]>;
  };
  /** Ends what runs in the background. */
  readonly close: () => void;
};

type ChainDeps = {
  readonly http: HttpClient;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'onRpc' | 'onHedge' | 'onScrape' | 'setEndpoints'>;
};

/** Makes the adapters of every chain over the configured endpoints. */
export function composeChains(config: Config, deps: ChainDeps): ChainAdapters {
  const sources = new Map<string, BalanceSource>();
  const transfers = new Map<string, TransferSource>();
  const pasts = new Map<string, PastBalanceSource>();
  const pastCallers = new Map<string, PastEvmCaller>();
  const callers = new Map<string, EvmCaller>();
  const resolvers: { family: ChainFamily; resolver: NameResolver }[] = [];
  const pools = new Map<string, EndpointPool>();
  const budgetOf = createBudgets(config);
  for (const chain of chains) {
    const pool = createPool(chain, config.rpcUrls.get(chain.slug) ?? [], { ...deps, budgetOf });
    pools.set(chain.slug, pool);
    if (chain.family === 'evm') {
      sources.set(chain.slug, createEvmBalanceSource({ chain, pool }));
      const blocks = createBlockFinder({ chain, pool });
      pasts.set(chain.slug, createArchiveBalanceSource({ chain, pool, blocks }));
      pastCallers.set(chain.slug, createArchiveCaller({ chain, pool, blocks }));
      callers.set(chain.slug, createEvmCaller({ chain, pool }));
      transfers.set(chain.slug, createEvmTransferSource({ chain, pool }));
      if (chain.slug === 'ethereum') resolvers.push({ family: 'evm', resolver: createEnsResolver({ chain, pool }) });
    } else {
      sources.set(chain.slug, createSolanaBalanceSource({ chain, pool }));
      transfers.set(chain.slug, createSolanaTransferSource({ chain, pool }));
      resolvers.push({ family: 'solana', resolver: createSolNameResolver({ pool }) });
    }
  }
  const endpointNames = new Map([...pools].map(([slug, pool]) => [slug, pool.names]));
  const endpointStates = (): ReadonlyMap<string, readonly EndpointStatus[]> =>
    new Map([...pools].map(([slug, pool]) => [slug, pool.status()]));
  deps.metrics.onScrape(() => {
    for (const [slug, endpoints] of endpointStates()) deps.metrics.setEndpoints(slug, endpoints);
  });
  const close = (): void => {
    for (const pool of pools.values()) pool.close();
  };
  return {
    sources,
    transfers,
    past: { sources: pasts, callers: pastCallers },
    callers,
    resolvers,
    endpoints: { endpointNames, endpointStates },
    close,
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

type PoolDeps = ChainDeps & { readonly budgetOf: (url: string) => CallBudget | undefined };

function createPool(chain: Chain, urls: readonly string[], { http, log, metrics, budgetOf }: PoolDeps): EndpointPool {
  const endpoints = urls.map((url) => {
    const budget = budgetOf(url);
    const endpoint = maskUrl(url);
    return createRpcEndpoint({
      url,
      family: chain.family,
      http,
      ...(budget === undefined ? {} : { budget }),
      onCall: (report) => metrics.onRpc({ ...report, chain: chain.slug, endpoint }),
    });
  });
  const isEvm = chain.family === 'evm';
  return createEndpointPool({
    endpoints,
    verify: isEvm ? verifyEvmChain(chain) : verifySolanaCluster(chain),
    probeHead: isEvm ? probeEvmHead(chain) : fetchSlot,
    blockTimeMs: chain.finality.blockTimeMs,
    onState: ({ endpoint, from, to }) => {
      const level = to === 'alive' || to === 'probing' ? 'info' : 'warn';
      log[level]({ chain: chain.slug, endpoint, from, to }, 'an endpoint changed its state');
    },
    onHedge: ({ won }) => metrics.onHedge({ chain: chain.slug, won }),
  });
}
