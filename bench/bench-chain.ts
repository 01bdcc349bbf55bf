import { keccak256 } from 'ethers/crypto';
import { type LocalChain, startLocalChain } from '../localnet/evm/local-chain.ts';
import { parseEvmAddress } from '../src/adapters/evm/evm-address.ts';
import type { EvmChain } from '../src/domain/chain.ts';
import { chunk } from '../src/lib/concurrency.ts';

export const BENCH_CHAIN: EvmChain = {
  slug: 'bench',
  name: 'Bench',
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

/** Where `Token` of the local contracts keeps `balanceOf`. */
const BALANCE_SLOT = 3n;

export type BenchChain = { readonly chain: LocalChain; readonly wallets: readonly string[]; readonly tokens: readonly string[] };

/** A chain with `tokenCount` tokens, of which each of the wallets holds one in `every`; the other balances are zero. */
export async function startBenchChain(options: {
  readonly walletCount: number;
  readonly tokenCount: number;
  readonly every: number;
}): Promise<BenchChain> {
  const chain = await startLocalChain({ chainId: BENCH_CHAIN.chainId });
  const wallets = Array.from({ length: options.walletCount }, (_, index) => address(index));
  const tokens: string[] = [];
  for (let index = 0; index < options.tokenCount; index++) {
    tokens.push(await chain.deploy('Token', ['string', 'string', 'uint8'], [`Token ${index}`, `T${index}`, 18]));
  }
  const pairs = wallets.flatMap((wallet, w) =>
    tokens.flatMap((token, t) => ((w + t) % options.every === 0 ? [{ wallet, token, amount: amountOf(w, t) }] : [])),
  );
  for (const part of chunk(pairs, 1000)) {
    const calls = part.map(({ wallet, token, amount }, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'anvil_setStorageAt',
      params: [token, balanceSlot(wallet), `0x${word(amount)}`],
    }));
    const headers = { 'content-type': 'application/json' };
    await (await fetch(chain.rpcUrl, { method: 'POST', headers, body: JSON.stringify(calls) })).arrayBuffer();
  }
  await chain.rpc('anvil_mine', ['0x1']);
  return { chain, wallets, tokens };
}

/** What wallet `w` holds of token `t` where it holds any. */
export function amountOf(w: number, t: number): bigint {
  return (BigInt(w) + 1n) * 10n ** 18n + BigInt(t);
}

function address(index: number): string {
  return parseEvmAddress(`0x${(0xb0b000000n + BigInt(index)).toString(16).padStart(40, '7')}`) ?? '';
}

function balanceSlot(wallet: string): string {
  return keccak256(`0x${wallet.slice(2).toLowerCase().padStart(64, '0')}${word(BALANCE_SLOT)}`);
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}
