import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { type ReadOptions, readScan, scanSingly } from './evm-reads.ts';
import { currentRung, isTooMuch, type Rung, stepDown } from './ladder.ts';
import { learn, recall } from './learnt.ts';
import { cutChunk, halveChunk } from './scan-chunks.ts';
import { type ScanChunk, type ScanResult, slotCount } from './scan-codec.ts';

/** A part of a chunk as one request answered it. Where pieces overlap, the later one counts. */
export type ScanPiece = { readonly chunk: ScanChunk; readonly slots: ScanResult };

/** Slots that one request asks for, by way: see `docs/decisions/0006-evm-balance-reading.md`. */
const SLOTS: Readonly<Record<Rung, number>> = { override: 2000, deployless: 2000, multicall: 1000, single: 100 };
const SMALLEST_LIMIT = 64;
const LIMIT_KEY = 'evm-slots';
const SUSPECTS_KEY = 'evm-suspects';
const MOST_SUSPECTS = 1000;

/** How many slots the endpoint is asked for in one request. */
export function slotLimit(endpoint: RpcEndpoint): number {
  const learnt = recall(endpoint, LIMIT_KEY);
  const usual = SLOTS[currentRung(endpoint)];
  return typeof learnt === 'number' ? Math.min(learnt, usual) : usual;
}

/**
 * Reads a chunk from one endpoint, in halves where it is too much for it, down to a single token, which is then asked for by plain calls with a
 * bound on their gas. Throws AppError when the endpoint as such fails.
 */
export async function readChunk(chunk: ScanChunk, options: ReadOptions): Promise<readonly ScanPiece[]> {
  const suspects = suspectsOf(options.endpoint);
  const alone = chunk.tokens.filter((token) => suspects.has(token));
  const together = { ...chunk, tokens: chunk.tokens.filter((token) => !suspects.has(token)) };
  const pieces: ScanPiece[] = [];
  for (const part of cutChunk(together, slotLimit(options.endpoint))) pieces.push(...(await readTogether(part, options)));
  if (alone.length > 0) pieces.push(await readAlone({ ...chunk, tokens: alone }, options));
  return pieces;
}

async function readTogether(chunk: ScanChunk, options: ReadOptions): Promise<readonly ScanPiece[]> {
  const { endpoint } = options;
  const limit = slotLimit(endpoint);
  try {
    return await readVictimsAgain({ chunk, slots: await readScan(chunk, options) }, options);
  } catch (error) {
    const isLate = error instanceof AppError && error.code === 'upstream_timeout';
    // Only a request near the limit says something about the limit: a smaller one fails by the fault of a token in it.
    if ((isLate || isTooMuch(error)) && slotCount(chunk) * 2 > limit) lowerLimit(endpoint, slotCount(chunk));
    if (!isTooMuch(error)) throw error;
    const halves = halveChunk(chunk);
    if (halves === undefined) return [await readAlone(chunk, options)];
    return [...(await readChunk(halves[0], options)), ...(await readChunk(halves[1], options))];
  }
}

/** Multicall3 gives its calls no gas of their own: a token that fails there may be the victim of the one before it. */
async function readVictimsAgain(piece: ScanPiece, options: ReadOptions): Promise<readonly ScanPiece[]> {
  const tokens = currentRung(options.endpoint) === 'multicall' ? faultyTokens(piece) : [];
  if (tokens.length === 0) return [piece];
  return [piece, await readAlone({ wallets: piece.chunk.wallets, tokens }, options)];
}

async function readAlone(chunk: ScanChunk, options: ReadOptions): Promise<ScanPiece> {
  const { endpoint } = options;
  const piece = { chunk, slots: await scanSingly(chunk, options) };
  const faulty = faultyTokens(piece);
  // Plain calls do what the scanner could not do for so few slots: then it is the scanner that this endpoint cannot run.
  const rung = currentRung(endpoint);
  if (rung === 'override' || rung === 'deployless') {
    if (faulty.length === 0) stepDown(endpoint, 'multicall');
  } else if (faulty.length > 0) {
    learn(endpoint, SUSPECTS_KEY, new Set([...suspectsOf(endpoint), ...faulty].slice(-MOST_SUSPECTS)));
  }
  return piece;
}

/** Tokens that spoil the calls beside them and so are read apart. With the scanner none can. */
function suspectsOf(endpoint: RpcEndpoint): ReadonlySet<unknown> {
  const learnt = recall(endpoint, SUSPECTS_KEY);
  return learnt instanceof Set && currentRung(endpoint) === 'multicall' ? learnt : new Set();
}

function faultyTokens({ chunk, slots }: ScanPiece): readonly string[] {
  const faulty = new Set<string>();
  for (const [slot, result] of slots.entries()) {
    const token = chunk.tokens[(slot % (chunk.tokens.length + 1)) - 1];
    if (token !== undefined && typeof result === 'string' && result !== 'no_code') faulty.add(token);
  }
  return [...faulty];
}

function lowerLimit(endpoint: RpcEndpoint, failedSlots: number): void {
  learn(endpoint, LIMIT_KEY, Math.max(Math.floor(failedSlots / 2), SMALLEST_LIMIT));
}
