import type { AssetRef } from '../../domain/asset.ts';
import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { type Reading, type SourceError, toSourceError } from '../../domain/holding.ts';
import type { Task } from '../../lib/json-rpc/pool/endpoint-member.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { AddressReading, BalanceQuery, BalanceSource, ChainReading } from '../balance-source.ts';
import { type BlockScan, scanAtOneBlock } from './block-scan.ts';
import { type EvmBlock, fetchHead } from './evm-block.ts';
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
        const ask: Task<EvmBlock> = (endpoint, ownSignal) => fetchHead(endpoint, { chain, pool, signal: ownSignal });
        const { number, hash } = await pool.run(ask, signal, { isHedged: true });
        return { block: { number, hash } };
      } catch (error) {
        return { error: toSourceError(error) };
      }
    },
  };
}

async function readBalances(query: BalanceQuery, chain: EvmChain, pool: EndpointPool): Promise<ChainReading> {
  try {
    const scan = await scanOnceOrTwice(query, chain, pool);
    const assets = [null, ...query.tokens].map((token): AssetRef => ({ chain: chain.slug, address: token }));
    const addresses = query.addresses.map((address) => toAddressReading(address, scan, assets));
    pool.heads.noteServed(scan.block.number);
    const { number, hash, madeAt } = scan.block;
    return { block: { number, hash }, observedAt: pool.heads.freshAt(number, madeAt), addresses };
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

/** `assets` are the chain's coin and the tokens in the order asked for; all wallets share the objects. */
export function toAddressReading(address: string, scan: BlockScan, assets: readonly AssetRef[]): AddressReading {
  const wallet = scan.wallets.get(address);
  const base = { address, kind: 'balances' } as const;
  if (wallet === undefined) return { ...base, status: 'failed', error: NOT_READ };
  // Without its native balance a wallet was not read: endpoints that answer at all tell that one.
  const native = wallet.native ?? NOT_READ;
  if (typeof native !== 'bigint') return { ...base, status: 'failed', error: native };
  const amountAt = (place: number): bigint | SourceError => (place === 0 ? native : (wallet.tokens[place - 1] ?? NOT_READ));
  return { ...base, status: 'ok', exhaustive: false, readings: assets.map((asset, place) => toReading(asset, amountAt(place))) };
}

function toReading(asset: AssetRef, amount: bigint | SourceError): Reading {
  if (typeof amount !== 'bigint') return { status: 'failed', asset, error: amount };
  return { status: 'ok', asset, amountRaw: amount, frozenRaw: 0n, ui: null };
}
