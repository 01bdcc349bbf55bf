import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { type Reading, type SourceError, toSourceError } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { AddressReading, BalanceQuery, BalanceSource, ChainReading } from '../balance-source.ts';
import { type BlockScan, scanAtOneBlock, type WalletScan } from './block-scan.ts';
import { fetchNewestBlock } from './evm-block.ts';
import { describeTokens } from './token-description.ts';

/** For what no request answered and no error explains: there is no default for an amount. */
const NOT_READ: SourceError = { code: 'upstream_malformed', provider: null };

/** Native and ERC-20 balances of one EVM chain. Only tokens that are asked for are found: the chain has no list of what a wallet holds. */
export function createEvmBalanceSource({
  chain,
  pool,
}: {
  readonly chain: EvmChain;
  readonly pool: EndpointPool;
}): BalanceSource {
  return {
    chain: chain.slug,
    kinds: ['balances'],
    readBalances: (query) => readBalances(query, chain, pool),
    describeTokens: (addresses, signal) => describeTokens(addresses, { chain, pool, signal }),
    async probe(signal) {
      try {
        return { block: await pool.run((endpoint) => fetchNewestBlock(endpoint, chain, signal), signal) };
      } catch (error) {
        return { error: toSourceError(error) };
      }
    },
  };
}

async function readBalances(query: BalanceQuery, chain: EvmChain, pool: EndpointPool): Promise<ChainReading> {
  try {
    const scan = await scanOnceOrTwice(query, chain, pool);
    const addresses = query.addresses.map((address) => toAddressReading(address, { scan, tokens: query.tokens, chain }));
    return { block: scan.block, observedAt: new Date(), addresses };
  } catch (error) {
    const failure = toSourceError(error);
    const addresses = query.addresses.map(
      (address) => ({ address, kind: 'balances', status: 'failed', error: failure }) as const,
    );
    return { block: null, observedAt: new Date(), addresses };
  }
}

/** A block that went away, by a reorganisation or because a node keeps few of them, is worth one new start. */
async function scanOnceOrTwice(
  { addresses, tokens, signal }: BalanceQuery,
  chain: EvmChain,
  pool: EndpointPool,
): Promise<BlockScan> {
  const chunk = { wallets: addresses, tokens };
  try {
    return await scanAtOneBlock(chunk, { chain, pool, signal, isLastTry: false });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'upstream_block_unavailable') throw error;
    return scanAtOneBlock(chunk, { chain, pool, signal, isLastTry: true });
  }
}

function toAddressReading(
  address: string,
  { scan, tokens, chain }: { scan: BlockScan; tokens: readonly string[]; chain: EvmChain },
): AddressReading {
  const wallet = scan.wallets.get(address);
  const base = { address, kind: 'balances' } as const;
  if (wallet === undefined) return { ...base, status: 'failed', error: NOT_READ };
  // Without its native balance a wallet was not read: endpoints that answer at all tell that one.
  const native = wallet.native ?? NOT_READ;
  if (typeof native !== 'bigint') return { ...base, status: 'failed', error: native };
  return { ...base, status: 'ok', exhaustive: false, readings: toReadings(native, wallet, { tokens, slug: chain.slug }) };
}

function toReadings(
  native: bigint,
  wallet: WalletScan,
  { tokens, slug }: { tokens: readonly string[]; slug: string },
): Reading[] {
  const readings = [toReading(slug, null, native)];
  for (const [place, token] of tokens.entries()) readings.push(toReading(slug, token, wallet.tokens[place] ?? NOT_READ));
  return readings;
}

function toReading(chain: string, address: string | null, amount: bigint | SourceError): Reading {
  const asset = { chain, address };
  if (typeof amount !== 'bigint') return { status: 'failed', asset, error: amount };
  return { status: 'ok', asset, amountRaw: amount, frozenRaw: 0n, ui: null };
}
