import type { BalanceSource, NameResolver } from '../adapters/balance-source.ts';
import { createEnsResolver } from '../adapters/evm/ens-resolver.ts';
import { createEvmBalanceSource } from '../adapters/evm/evm-balance-source.ts';
import { createEvmCaller } from '../adapters/evm/evm-caller.ts';
import { createArchiveBalanceSource } from '../adapters/evm/past/archive-balance-source.ts';
import { createBlockFinder } from '../adapters/evm/past/archive-blocks.ts';
import { createArchiveCaller } from '../adapters/evm/past/archive-caller.ts';
import { createEvmTransferSource } from '../adapters/evm/transfers/evm-transfer-source.ts';
import type { EvmCaller, PastEvmCaller } from '../adapters/evm-caller.ts';
import type { PastBalanceSource } from '../adapters/past-balance-source.ts';
import { createSolNameResolver } from '../adapters/solana/sol-name-resolver.ts';
import { createSolanaBalanceSource } from '../adapters/solana/solana-balance-source.ts';
import { createSolanaTransferSource } from '../adapters/solana/transfers/solana-transfer-source.ts';
import type { TransferSource } from '../adapters/transfer-source.ts';
import type { Config } from '../config.ts';
import type { ChainFamily } from '../domain/chain.ts';
import { composePools, type PoolDeps, type Pools } from './compose-pools.ts';

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
  readonly endpoints: Pick<Pools, 'endpointNames' | 'endpointStates'>;
  /** Those that are set while the service runs. */
  readonly endpointSettings: Pools['settings'];
  /** Ends what runs in the background. */
  readonly close: () => void;
};

/** Makes the adapters of every chain over the configured endpoints. */
export function composeChains(config: Config, deps: PoolDeps): ChainAdapters {
  const sources = new Map<string, BalanceSource>();
  const transfers = new Map<string, TransferSource>();
  const pasts = new Map<string, PastBalanceSource>();
  const pastCallers = new Map<string, PastEvmCaller>();
  const callers = new Map<string, EvmCaller>();
  const resolvers: { family: ChainFamily; resolver: NameResolver }[] = [];
  const pools = composePools(config, deps);
  for (const { chain, pool } of pools.all) {
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
  return {
    sources,
    transfers,
    past: { sources: pasts, callers: pastCallers },
    callers,
    resolvers,
    endpoints: { endpointNames: pools.endpointNames, endpointStates: pools.endpointStates },
    endpointSettings: pools.settings,
    close: pools.close,
  };
}
