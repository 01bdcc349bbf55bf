import type { SolanaChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { type Block, type SourceError, toSourceError } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import { acceptHead } from '../../lib/json-rpc/pool/head-monitor.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import type { AddressReading, BalanceSource, ChainReading } from '../balance-source.ts';
import { type MintRead, readMints } from './mint-reads.ts';
import type { ReadContext } from './read-context.ts';
import { highestSlot, lowestSlot } from './slots.ts';
import { fetchSlot } from './solana-cluster.ts';
import { readStakes, type StakeReads } from './stake-reads.ts';
import { describeMints } from './token-description.ts';
import { toReadings } from './wallet-readings.ts';
import { readWallets, type WalletRead } from './wallet-reads.ts';

/** SOL, SPL and Token-2022 tokens, and native stake. Finds all tokens of a wallet by itself. */
export function createSolanaBalanceSource({
  chain,
  pool,
}: {
  readonly chain: SolanaChain;
  readonly pool: EndpointPool;
}): BalanceSource {
  return {
    chain: chain.slug,
    kinds: ['balances', 'stake'],
    readBalances: ({ addresses, signal }) => readBalances(addresses, { chain, pool, signal }),
    describeTokens: (addresses, signal) => describeMints(addresses, { chain, pool, signal }),
    probe: (signal) => probe(pool, signal),
  };
}

async function probe(pool: EndpointPool, signal: AbortSignal): Promise<{ block: Block } | { error: SourceError }> {
  try {
    const ask = async (endpoint: RpcEndpoint, ownSignal: AbortSignal): Promise<bigint> => {
      const slot = await fetchSlot(endpoint, ownSignal);
      acceptHead(pool.heads, endpoint, slot);
      return slot;
    };
    const number = await pool.run(ask, signal, { isHedged: true });
    return { block: { number, hash: null } };
  } catch (error) {
    return { error: toSourceError(error) };
  }
}

/** All figures hold at the lowest slot that any part was read at, or later. */
async function readBalances(addresses: readonly string[], context: ReadContext): Promise<ChainReading> {
  const [{ wallets, mints }, stakes] = await Promise.all([readTokens(addresses, context), readStakes(addresses, context)]);
  const { slug } = context.chain;
  const parts = [...wallets.values(), ...mints.values(), ...stakes.reads.values()];
  const lowest = lowestSlot(parts.flatMap((part) => (part instanceof AppError ? [] : [part.slot])));
  const { heads } = context.pool;
  if (lowest !== undefined) heads.noteServed(lowest);
  return {
    block: lowest === undefined ? null : { number: lowest, hash: null },
    observedAt: lowest === undefined ? new Date() : heads.freshAt(lowest),
    addresses: addresses.flatMap((address) => [
      toBalances(address, wallets.get(address), { slug, mints }),
      toStake(address, stakes, slug),
    ]),
  };
}

type Tokens = {
  readonly wallets: ReadonlyMap<string, WalletRead | AppError>;
  readonly mints: ReadonlyMap<string, MintRead | AppError>;
};

async function readTokens(addresses: readonly string[], context: ReadContext): Promise<Tokens> {
  const wallets = await readWallets(addresses, context);
  const found = [...wallets.values()].flatMap((wallet) => (wallet instanceof AppError ? [] : [wallet]));
  const mints2022 = new Set(found.flatMap(({ tokens2022 }) => [...tokens2022.keys()]));
  const minSlot = highestSlot(found.map(({ slot }) => slot));
  return { wallets, mints: await readMints([...mints2022], minSlot, context) };
}

const UNREAD: SourceError = { code: 'upstream_malformed', provider: null };

function toBalances(
  address: string,
  wallet: WalletRead | AppError | undefined,
  { slug, mints }: { slug: string; mints: Tokens['mints'] },
): AddressReading {
  const base = { address, kind: 'balances' } as const;
  if (wallet === undefined) return { ...base, status: 'failed', error: UNREAD };
  if (wallet instanceof AppError) return { ...base, status: 'failed', error: toSourceError(wallet) };
  return { ...base, status: 'ok', exhaustive: true, readings: toReadings(slug, wallet, mints) };
}

function toStake(address: string, { reads, isUnsupported }: StakeReads, chain: string): AddressReading {
  const base = { address, kind: 'stake' } as const;
  const read = reads.get(address);
  if (read === undefined) return { ...base, status: 'failed', error: UNREAD };
  if (read instanceof AppError) {
    return { ...base, status: isUnsupported ? 'unsupported' : 'failed', error: toSourceError(read) };
  }
  const asset = { chain, address: null };
  const reading = { status: 'ok', asset, amountRaw: read.value, frozenRaw: 0n, ui: null } as const;
  return { ...base, status: 'ok', exhaustive: true, readings: [reading] };
}
