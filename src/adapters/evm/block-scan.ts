import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { type SourceError, toSourceError } from '../../domain/holding.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { isPinnedByNumber } from './block-pin.ts';
import { readChunk, type ScanPiece, slotLimit } from './chunk-reader.ts';
import { type EvmBlock, fetchBlock, fetchHead } from './evm-block.ts';
import { cutChunk } from './scan-chunks.ts';
import type { ScanChunk, SlotFault } from './scan-codec.ts';

/** One wallet's amounts, the tokens' in the order asked for. A failure stands in place of an amount, undefined for what was not read. */
export type WalletScan = {
  native: bigint | SourceError | undefined;
  readonly tokens: (bigint | SourceError | undefined)[];
};

export type BlockScan = { readonly block: EvmBlock; readonly wallets: ReadonlyMap<string, WalletScan> };

/** What was read so far, and each token's place in it. */
type Collected = { readonly wallets: ReadonlyMap<string, WalletScan>; readonly places: ReadonlyMap<string, number> };

type ScanOptions = {
  readonly chain: EvmChain;
  readonly pool: EndpointPool;
  readonly signal: AbortSignal;
  /** Whether chunks whose block is gone everywhere are failures, or the whole scan throws so that it can start again. */
  readonly isLastTry: boolean;
};

const REQUESTS_AT_ONCE = 4;
/** For endpoints of which nothing is known: one that takes less cuts it smaller. */
const MOST_SLOTS = 2_000;
/** The nodes behind one URL can be this far apart. */
const LAG_MS = 4_000;

const FAULT_CODES: Readonly<Record<SlotFault, SourceError['code']>> = {
  reverted: 'upstream_reverted',
  no_code: 'not_a_token',
  bad_return: 'upstream_malformed',
  out_of_gas: 'upstream_out_of_gas',
};

/**
 * Reads the native balance and all tokens of all wallets at one block: the newest, or in the last try one that lagging nodes have too. What
 * could not be read is a failure of its own wallet and token. Throws AppError when no endpoint tells a block, and upstream_block_unavailable when the
 * block went away while it was being read.
 */
export async function scanAtOneBlock(all: ScanChunk, options: ScanOptions): Promise<BlockScan> {
  const { chain, pool, signal } = options;
  const blocksBack = options.isLastTry ? Math.ceil(LAG_MS / chain.finality.blockTimeMs) : 0;
  const start = await pool.run(
    async (endpoint, ownSignal) => ({
      endpoint,
      block: await fetchRecentBlock(endpoint, { chain, pool, blocksBack, signal: ownSignal }),
    }),
    signal,
    // All else waits for it and it costs little; a chunk of reads is long because it is large, and worth no second one.
    { isHedged: true },
  );
  return scanBlock(all, { ...start, ...options });
}

type BlockOptions = Pick<ScanOptions, 'chain' | 'signal' | 'isLastTry'> & {
  readonly pool: Pick<EndpointPool, 'run'>;
  readonly block: EvmBlock;
  /** An endpoint that is known to have this very block. */
  readonly endpoint?: RpcEndpoint;
};

/** The same at a block that is known already. */
export async function scanBlock(all: ScanChunk, options: BlockOptions): Promise<BlockScan> {
  const { chain, pool, signal, block } = options;
  const found: Collected = {
    places: new Map(all.tokens.map((token, place) => [token, place])),
    wallets: new Map(all.wallets.map((wallet) => [wallet, { native: undefined, tokens: [] }])),
  };
  const known = options.endpoint;
  const used = new Map<RpcEndpoint, Promise<void>>(known === undefined ? [] : [[known, Promise.resolve()]]);
  await mapLimited(cutChunk(all, known === undefined ? MOST_SLOTS : slotLimit(known)), REQUESTS_AT_ONCE, async (chunk) => {
    try {
      const { pieces, provider } = await pool.run(async (endpoint) => {
        const check = used.get(endpoint) ?? requireSameBlock(endpoint, block, signal);
        used.set(endpoint, check);
        await check;
        return { pieces: await readChunk(chunk, { chain, endpoint, block, signal }), provider: endpoint.name };
      }, signal);
      for (const piece of pieces) collect(piece, found, provider);
    } catch (error) {
      if (isBlockGone(error) && !options.isLastTry) throw error;
      fail(chunk, found, toSourceError(error));
    }
  });
  await Promise.all([...used.keys()].filter(isPinnedByNumber).map((endpoint) => refuseOtherBlock(endpoint, block, signal)));
  return { block, wallets: found.wallets };
}

async function fetchRecentBlock(
  endpoint: RpcEndpoint,
  { chain, pool, blocksBack, signal }: Omit<ScanOptions, 'isLastTry'> & { readonly blocksBack: number },
): Promise<EvmBlock> {
  const newest = await fetchHead(endpoint, { chain, pool, signal });
  const back = newest.number - BigInt(blocksBack);
  // Never before what was read before.
  const tip = pool.heads.tip() ?? 0n;
  const number = back > tip ? back : tip;
  return number >= newest.number || back < 0n ? newest : fetchBlock(endpoint, number, signal);
}

function collect({ chunk, slots }: ScanPiece, { wallets, places }: Collected, provider: string): void {
  let slot = 0;
  const next = (): bigint | SourceError | undefined => {
    const result = slots[slot++];
    return typeof result === 'string' ? { code: FAULT_CODES[result], provider } : result;
  };
  const tokenPlaces = chunk.tokens.map((token) => places.get(token) ?? -1);
  for (const address of chunk.wallets) {
    const wallet = wallets.get(address);
    const native = next();
    if (wallet !== undefined) wallet.native = native;
    for (const place of tokenPlaces) {
      const amount = next();
      if (wallet !== undefined) wallet.tokens[place] = amount;
    }
  }
}

function fail(chunk: ScanChunk, { wallets, places }: Collected, error: SourceError): void {
  for (const address of chunk.wallets) {
    const wallet = wallets.get(address);
    if (wallet === undefined) continue;
    wallet.native ??= error;
    for (const token of chunk.tokens) wallet.tokens[places.get(token) ?? -1] = error;
  }
}

/** An endpoint that did not name the block must have the very same one. */
async function requireSameBlock(endpoint: RpcEndpoint, block: EvmBlock, signal: AbortSignal): Promise<void> {
  const { hash } = await fetchBlock(endpoint, block.number, signal);
  if (hash !== block.hash) throw otherBlock(endpoint);
}

/** Where reads were pinned by number, it must still mean the same block when they are done. An endpoint that is gone by then proves nothing. */
async function refuseOtherBlock(endpoint: RpcEndpoint, block: EvmBlock, signal: AbortSignal): Promise<void> {
  const hash = await fetchBlock(endpoint, block.number, signal).then(
    (found) => found.hash,
    () => undefined,
  );
  if (hash !== undefined && hash !== block.hash) throw otherBlock(endpoint);
}

function otherBlock({ name }: RpcEndpoint): AppError {
  return new AppError('upstream_block_unavailable', `${name} has another block at this height.`, { provider: name });
}

function isBlockGone(error: unknown): boolean {
  return error instanceof AppError && error.code === 'upstream_block_unavailable';
}
