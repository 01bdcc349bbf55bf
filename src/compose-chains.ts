import type { BalanceSource, NameResolver } from './adapters/balance-source.ts';
import { createEnsResolver } from './adapters/evm/ens-resolver.ts';
import { createEvmBalanceSource } from './adapters/evm/evm-balance-source.ts';
import { verifyEvmChain } from './adapters/evm/evm-block.ts';
import { createEvmCaller } from './adapters/evm/evm-caller.ts';
import type { EvmCaller } from './adapters/evm-caller.ts';
import { createSolNameResolver } from './adapters/solana/sol-name-resolver.ts';
import { createSolanaBalanceSource } from './adapters/solana/solana-balance-source.ts';
import { verifySolanaCluster } from './adapters/solana/solana-cluster.ts';
import type { Config } from './config.ts';
import type { Chain, ChainFamily } from './domain/chain.ts';
import { chains } from './domain/chains.ts';
import type { HttpClient } from './lib/http-client.ts';
import { createEndpointPool, type EndpointPool } from './lib/json-rpc/endpoint-pool.ts';
import { createRpcEndpoint } from './lib/json-rpc/rpc-endpoint.ts';

/** Everything that speaks to chains. */
export type ChainAdapters = {
  /** By chain slug. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
  /** Calls of contracts, by chain slug; EVM chains only. */
  readonly callers: ReadonlyMap<string, EvmCaller>;
  readonly resolvers: readonly { readonly family: ChainFamily; readonly resolver: NameResolver }[];
  readonly endpointNames: ReadonlyMap<string, readonly string[]>;
};

/** Makes the adapters of every chain over the configured endpoints. */
export function composeChains({ rpcUrls }: Config, http: HttpClient): ChainAdapters {
  const sources = new Map<string, BalanceSource>();
  const callers = new Map<string, EvmCaller>();
  const resolvers: { family: ChainFamily; resolver: NameResolver }[] = [];
  const endpointNames = new Map<string, readonly string[]>();
  for (const chain of chains) {
    const pool = createPool(chain, rpcUrls.get(chain.slug) ?? [], http);
    endpointNames.set(chain.slug, pool.names);
    if (chain.family === 'evm') {
      sources.set(chain.slug, createEvmBalanceSource({ chain, pool }));
      callers.set(chain.slug, createEvmCaller({ chain, pool }));
      if (chain.slug === 'ethereum') resolvers.push({ family: 'evm', resolver: createEnsResolver({ chain, pool }) });
    } else {
      sources.set(chain.slug, createSolanaBalanceSource({ chain, pool }));
      resolvers.push({ family: 'solana', resolver: createSolNameResolver({ pool }) });
    }
  }
  return { sources, callers, resolvers, endpointNames };
}

function createPool(chain: Chain, urls: readonly string[], http: HttpClient): EndpointPool {
  return createEndpointPool({
    endpoints: urls.map((url) => createRpcEndpoint({ url, family: chain.family, http })),
    verify: chain.family === 'evm' ? verifyEvmChain(chain) : verifySolanaCluster(chain),
  });
}
