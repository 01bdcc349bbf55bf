import { parseEvmAddress } from '../../../src/adapters/evm/evm-address.ts';
import { verifyEvmChain } from '../../../src/adapters/evm/evm-block.ts';
import type { EvmChain } from '../../../src/domain/chain.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { createEndpointPool, type EndpointPool } from '../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createRpcEndpoint } from '../../../src/lib/json-rpc/rpc-endpoint.ts';

export const LOCAL_CHAIN: EvmChain = {
  slug: 'local',
  name: 'Local',
  family: 'evm',
  chainId: 31337,
  caip2: 'eip155:31337',
  native: { symbol: 'ETH', name: 'Ether', decimals: 18, slip44: 60, coingeckoId: 'ethereum' },
  multicall3: '0xcA11bde05977b3631167028862bE2a173976CA11',
  finality: { tag: 'latest', blockTimeMs: 1_000 },
  defaultRpcUrls: [],
  defillamaSlug: null,
  coingeckoPlatform: null,
};

/** A pool of these URLs that believes only chain 31337. */
export function createPool(urls: readonly string[], timeoutMs = 20_000): EndpointPool {
  const http = createHttpClient();
  return createEndpointPool({
    endpoints: urls.map((url) => createRpcEndpoint({ url, family: 'evm', http, timeoutMs })),
    verify: verifyEvmChain(LOCAL_CHAIN),
  });
}

/** The n-th of as many wallets as one likes. */
export function walletAddress(index: number): string {
  return parseEvmAddress(`0x${(0xa11ce000000n + BigInt(index)).toString(16).padStart(40, '5')}`) ?? '';
}
