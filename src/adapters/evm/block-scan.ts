import type { EvmChain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import type { SourceError } from '../../domain/holding.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { type EvmBlock, fetchBlock } from './evm-block.ts';
import { readScan } from './evm-reads.ts';
import { currentRung, type Rung } from './ladder.ts';
import { type ScanChunk, type SlotFault, slotCount } from './scan-codec.ts';

/** One wallet's amounts: the native one, and the tokens' that are not zero. A failure stands in place of an amount, undefined for what is not read yet. */
export type WalletScan = { native: bigint | SourceError | undefined; readonly tokens: Map<string, bigint | SourceError> };

export type BlockScan = { readonly block: EvmBlock; readonly wallets: ReadonlyMap<string, WalletScan> };

type ScanOptions = {
  readonly chain: EvmChain;
  readonly pool: EndpointPool;
  readonly signal: AbortSignal;
  /** Whether chunks whose block is gone everywhere are failures, or the whole scan throws so that it can start again. */
  readonly isLastTry: boolean;
};

/** Balances that one request asks for, by way: see `docs/decisions/0002-evm-balance-reading.md`. */
const SLOTS: Readonly<Record<Rung, number>> = { override: 2000, deployless: 2000, multicall: 500, single: 50 };
const SLOTS_KEY = 'evm-slots';
const REQUESTS_AT_ONCE = 4;

/** Failures that a smaller request may not have. The scanner reverts when its gas runs low. */
const TOO_MUCH: ReadonlySet<string> = new Set(['upstream_out_of_gas', 'upstream_too_large', 'upstream_reverted']);

const FAULT_CODES: Readonly<Record<SlotFault, SourceError['code']>> = {
  reverted: 'upstream_reverted',
  no_code: 'not_a_token',
  bad_return: 'upstream_malformed',
  out_of_gas: 'upstream_out_of_gas',
};

/**
 * Reads the native balance and all tokens of all wallets at the newest block. What could not be read is a failure of its own wallet and token.
 * Throws AppError when no endpoint tells a block, and upstream_block_unavailable when the block went away while it was being read.
 */
export async function scanAtNewestBlock(all: ScanChunk, options: ScanOptions): Promise<BlockScan> {
  const { pool, signal } = options;
  const start = await pool.run(async (endpoint) => ({ endpoint, block: await fetchBlock(endpoint, 'latest', signal) }), signal);
  const { block } = start;
  const wallets = new Map<string, WalletScan>(all.wallets.map((wallet) => [wallet, { native: undefined, tokens: new Map() }]));
  const hasBlock = createBlockCheck(start, signal);
  await mapLimited(cut(all, SLOTS.override), REQUESTS_AT_ONCE, async (chunk) => {
    try {
      await pool.run(async (endpoint) => {
        await hasBlock(endpoint);
        await readChunk(chunk, { ...options, endpoint, block, wallets });
      }, signal);
    } catch (error) {
      if (isBlockGone(error) && !options.isLastTry) throw error;
      fill(chunk, wallets, toSourceError(error));
    }
  });
  await requireSameBlock(start, signal);
  return { block, wallets };
}

function isBlockGone(error: unknown): boolean {
  return error instanceof AppError && error.code === 'upstream_block_unavailable';
}

type ChunkOptions = {
  readonly chain: EvmChain;
  readonly endpoint: RpcEndpoint;
  readonly block: EvmBlock;
  readonly wallets: ReadonlyMap<string, WalletScan>;
  readonly signal: AbortSignal;
};

/** Reads a chunk from one endpoint, in halves where it is too much for it, down to the single token that is at fault. */
async function readChunk(chunk: ScanChunk, options: ChunkOptions): Promise<void> {
  const { chain, endpoint, block, wallets, signal } = options;
  const limit = slotLimit(endpoint);
  const parts = slotCount(chunk) > limit ? cut(chunk, limit) : [chunk];
  if (parts.length > 1) {
    for (const part of parts) await readChunk(part, options);
    return;
  }
  try {
    const slots = await readScan(chunk, { chain, endpoint, blockNumber: block.number, signal });
    collect(chunk, slots, { wallets, provider: endpoint.name });
  } catch (error) {
    if (!(error instanceof AppError) || !TOO_MUCH.has(error.code)) throw error;
    const halves = halve(chunk);
    if (halves === undefined) {
      fill(chunk, wallets, toSourceError(error));
      // The token is at fault, not the coin that was asked for with it.
      if (chunk.tokens.length > 0) await readChunk({ wallets: chunk.wallets, tokens: [] }, options);
      return;
    }
    // Only a chunk that was near the limit says anything about the limit: a smaller one fails by the fault of a token in it.
    if (slotCount(chunk) * 2 > limit) endpoint.learnt.set(SLOTS_KEY, Math.max(Math.floor(slotCount(chunk) / 2), 16));
    for (const half of halves) await readChunk(half, options);
  }
}

function slotLimit(endpoint: RpcEndpoint): number {
  const learnt = endpoint.learnt.get(SLOTS_KEY);
  const usual = SLOTS[currentRung(endpoint)];
  return typeof learnt === 'number' ? Math.min(learnt, usual) : usual;
}

/** Cuts wallets x tokens into chunks of at most so many slots, whole wallets together as far as it goes. */
function cut({ wallets, tokens }: ScanChunk, slots: number): readonly ScanChunk[] {
  const tokensPerCall = Math.max(1, slots - 1);
  const chunks: ScanChunk[] = [];
  for (let from = 0; from < Math.max(tokens.length, 1); from += tokensPerCall) {
    const someTokens = tokens.slice(from, from + tokensPerCall);
    const walletsPerCall = Math.max(1, Math.floor(slots / (someTokens.length + 1)));
    for (let at = 0; at < wallets.length; at += walletsPerCall) {
      chunks.push({ wallets: wallets.slice(at, at + walletsPerCall), tokens: someTokens });
    }
  }
  return chunks;
}

function halve({ wallets, tokens }: ScanChunk): readonly ScanChunk[] | undefined {
  const list = wallets.length > 1 ? wallets : tokens;
  const middle = Math.ceil(list.length / 2);
  if (wallets.length > 1) {
    return [
      { wallets: wallets.slice(0, middle), tokens },
      { wallets: wallets.slice(middle), tokens },
    ];
  }
  if (tokens.length < 2) return undefined;
  return [
    { wallets, tokens: tokens.slice(0, middle) },
    { wallets, tokens: tokens.slice(middle) },
  ];
}

function collect(
  { wallets, tokens }: ScanChunk,
  slots: ReadonlyMap<number, bigint | SlotFault>,
  { wallets: found, provider }: { wallets: ReadonlyMap<string, WalletScan>; provider: string },
): void {
  for (const [slot, result] of slots) {
    const amount = typeof result === 'bigint' ? result : { code: FAULT_CODES[result], provider };
    const scan = found.get(wallets[Math.floor(slot / (tokens.length + 1))] ?? '');
    const token = tokens[(slot % (tokens.length + 1)) - 1];
    if (scan === undefined) continue;
    if (token === undefined) scan.native = amount;
    else scan.tokens.set(token, amount);
  }
}

function fill({ wallets, tokens }: ScanChunk, found: ReadonlyMap<string, WalletScan>, error: SourceError): void {
  for (const wallet of wallets) {
    const scan = found.get(wallet);
    if (scan === undefined) continue;
    for (const token of tokens) scan.tokens.set(token, error);
    scan.native ??= error;
  }
}

type Start = { readonly endpoint: RpcEndpoint; readonly block: EvmBlock };

/** One check for each endpoint other than the one that named the block: does it have the very same one? */
function createBlockCheck(start: Start, signal: AbortSignal): (endpoint: RpcEndpoint) => Promise<void> {
  const checks = new Map<RpcEndpoint, Promise<void>>([[start.endpoint, Promise.resolve()]]);
  return (endpoint) => {
    const check = checks.get(endpoint) ?? requireBlock(endpoint, start.block, signal);
    checks.set(endpoint, check);
    return check;
  };
}

/** Reads were pinned by number: the number must still mean the same block. An endpoint that is gone by now proves nothing. */
async function requireSameBlock({ endpoint, block }: Start, signal: AbortSignal): Promise<void> {
  await requireBlock(endpoint, block, signal).catch((error: unknown) => {
    if (isBlockGone(error)) throw error;
  });
}

async function requireBlock(endpoint: RpcEndpoint, block: EvmBlock, signal: AbortSignal): Promise<void> {
  const { hash } = await fetchBlock(endpoint, block.number, signal);
  if (hash === block.hash) return;
  const provider = endpoint.name;
  throw new AppError('upstream_block_unavailable', `${provider} has another block at this height.`, { provider });
}

function toSourceError(error: unknown): SourceError {
  const { code, provider } = toAppError(error);
  return { code, provider: provider ?? null };
}
