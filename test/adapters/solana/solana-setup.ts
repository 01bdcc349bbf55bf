import { extensions } from '../../../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../../../localnet/solana/solana-node.ts';
import { walletOf } from '../../../localnet/solana/vm.ts';
import type { AddressReading, BalanceSource, ChainReading } from '../../../src/adapters/balance-source.ts';
import { bytesOfAddress } from '../../../src/adapters/solana/solana-address.ts';
import { createSolanaBalanceSource } from '../../../src/adapters/solana/solana-balance-source.ts';
import { verifySolanaCluster } from '../../../src/adapters/solana/solana-cluster.ts';
import type { SolanaChain } from '../../../src/domain/chain.ts';
import type { Reading } from '../../../src/domain/holding.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { createEndpointPool, type EndpointPool } from '../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createRpcEndpoint } from '../../../src/lib/json-rpc/rpc-endpoint.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';

/** The moment at which the chains of these tests begin. */
export const START = 1_750_000_000n;

export const LOCAL_CLUSTER: SolanaChain = {
  slug: 'local-solana',
  name: 'Local Solana',
  family: 'solana',
  genesisHash: 'LocalC1uster11111111111111111111111111111111',
  caip2: 'solana:LocalC1uster1111111111111111111111',
  native: { symbol: 'SOL', name: 'Solana', decimals: 9, slip44: 501, coingeckoId: 'solana' },
  finality: { tag: 'confirmed', blockTimeMs: 400 },
  defaultRpcUrls: [],
  defillamaSlug: null,
  coingeckoPlatform: null,
};

/** A node behind a proxy with two wallets: alice has 100 lamports, bob 200, and of the rest in proportion. */
export type TwoWallets = {
  readonly node: SolanaNode;
  readonly proxy: RpcProxy;
  readonly alice: string;
  readonly bob: string;
  /** A plain mint of 6 decimals: ten times the lamports. */
  readonly dollar: string;
  /** A Token-2022 mint of 9 decimals with a scaled display: a hundred times the lamports. */
  readonly scaled: string;
  /** Lets the node answer as it is again, and forgets what was asked. */
  reset(): void;
  close(): Promise<void>;
};

/** Starts them. Each wallet also has a stake of a thousand times its lamports. */
export async function startTwoWallets(): Promise<TwoWallets> {
  const node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  const proxy = await startRpcProxy(node.rpcUrl);
  const [alice, bob] = await Promise.all([walletOf('alice'), walletOf('bob')]);
  const dollar = await node.createMint('dollar', { kind: 'spl', decimals: 6 });
  const scaled = await node.createMint('scaled', { kind: 'spl-2022', decimals: 9, extensions: [extensions.scaled(2)] });
  for (const [wallet, amount] of [
    [alice, 100n],
    [bob, 200n],
  ] as const) {
    node.setSol(wallet, amount);
    await node.mintTo(dollar, wallet, amount * 10n);
    await node.mintTo(scaled, wallet, amount * 100n);
    node.addStake(`stake of ${wallet}`, { staker: wallet, withdrawer: wallet, lamports: amount * 1_000n });
  }
  return {
    node,
    proxy,
    alice,
    bob,
    dollar,
    scaled,
    reset() {
      proxy.intercept = () => undefined;
      proxy.calls = [];
      node.setProgramSearch(true);
    },
    async close() {
      await proxy.close();
      await node.stop();
    },
  };
}

/** A pool of these URLs that believes only the local cluster. */
export function createPool(urls: readonly string[], timeoutMs = 10_000): EndpointPool {
  const http = createHttpClient();
  return createEndpointPool({
    endpoints: urls.map((url) => createRpcEndpoint({ url, family: 'solana', http, timeoutMs })),
    verify: verifySolanaCluster(LOCAL_CLUSTER),
  });
}

export function createSource(urls: readonly string[], timeoutMs?: number): BalanceSource {
  return createSolanaBalanceSource({ chain: LOCAL_CLUSTER, pool: createPool(urls, timeoutMs) });
}

export const signal = new AbortController().signal;

export function read(source: BalanceSource, addresses: readonly string[]): Promise<ChainReading> {
  return source.readBalances({ addresses, tokens: [], signal });
}

export function entryOf(reading: ChainReading, address: string, kind: 'balances' | 'stake'): AddressReading {
  const found = reading.addresses.find((entry) => entry.address === address && entry.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} of ${address}`);
  return found;
}

/** The readings of a wallet by token address, the coin's under null. */
export function readingsOf(
  reading: ChainReading,
  address: string,
  kind: 'balances' | 'stake' = 'balances',
): ReadonlyMap<string | null, Reading> {
  const entry = entryOf(reading, address, kind);
  if (entry.status !== 'ok') throw new Error(`${kind} of ${address}: ${entry.status}, ${entry.error.code}`);
  return new Map(entry.readings.map((item) => [item.asset.address, item]));
}

/** An amount, or the code of the failure. */
export function amountOf(reading: Reading | undefined): bigint | string | undefined {
  return reading?.status === 'ok' ? reading.amountRaw : reading?.error.code;
}

/** The bytes of a token account in use. */
export function accountBytes({ mint, owner, amount }: { mint: string; owner: string; amount: bigint }): Buffer {
  const data = Buffer.alloc(165);
  data.set(bytesOfAddress(mint), 0);
  data.set(bytesOfAddress(owner), 32);
  data.writeBigUInt64LE(amount, 64);
  data[108] = 1;
  return data;
}
