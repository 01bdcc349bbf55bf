import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';
import type { EvmCall } from '../evm-caller.ts';

import scanner from './contracts/scanner.json' with { type: 'json' };
import { addressDigits, type Hex, readHexData, readHexQuantity, word, wordAt } from './hex.ts';
import { climb } from './ladder.ts';
import { decodeAggregate3, encodeAggregate3 } from './multicall-codec.ts';
import {
  type BoundedResult,
  decodeCalls,
  decodeScan,
  encodeBytesArgument,
  encodeCalls,
  encodeScan,
  type ScanChunk,
  type ScanResult,
  type SlotFault,
} from './scan-codec.ts';

/** Where the override puts the scanner: the last 20 bytes of keccak256("chainfolio.scanner"), which nobody holds a key for. */
const SCANNER_ADDRESS = '0x646fa5bd03b9743f052d248380c3a2ea3ac28d6e';
const BALANCE_OF = '70a08231';
const GET_ETH_BALANCE = '4d2301cc';

export type ReadOptions = {
  readonly chain: EvmChain;
  readonly endpoint: RpcEndpoint;
  readonly blockNumber: bigint;
  readonly signal: AbortSignal;
};

/** The balances of a chunk, by the best way the endpoint takes. Throws AppError; out of gas or too large asks for a smaller chunk. */
export function readScan(chunk: ScanChunk, options: ReadOptions): Promise<ScanResult> {
  const input = encodeScan(chunk);
  const decode = (output: Hex): ScanResult | undefined => decodeScan(output, chunk);
  return climb(options.endpoint, {
    override: () => callOverride(input, decode, options),
    deployless: () => callDeployless(input, decode, options),
    multicall: async () => toScan(chunk, await callMulticall(scanCalls(chunk, options.chain.multicall3), options)),
    single: () => scanSingly(chunk, options),
  });
}

/** Many calls, each with bounded gas and a bounded answer, by the best way the endpoint takes. */
export function readCalls(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  const input = encodeCalls(calls);
  const decode = (output: Hex): readonly BoundedResult[] | undefined => decodeCalls(output, calls.length);
  return climb(options.endpoint, {
    override: () => callOverride(input, decode, options),
    deployless: () => callDeployless(input, decode, options),
    multicall: () => callMulticall(calls, options),
    single: () => callSingly(calls, options),
  });
}

type Decode<T> = (output: Hex) => T | undefined;

async function callOverride<T>(input: Hex, decode: Decode<T>, options: ReadOptions): Promise<T> {
  const call = { to: SCANNER_ADDRESS, data: `0x${input}` };
  const override = { [SCANNER_ADDRESS]: { code: scanner.runtime } };
  return ethCall([call, blockTag(options), override], decode, options);
}

async function callDeployless<T>(input: Hex, decode: Decode<T>, options: ReadOptions): Promise<T> {
  return ethCall([{ data: scanner.creation + encodeBytesArgument(input) }, blockTag(options)], decode, options);
}

function callMulticall(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  const call = { to: options.chain.multicall3, data: `0x${encodeAggregate3(calls)}` };
  return ethCall([call, blockTag(options)], (output) => decodeAggregate3(output, calls.length), options);
}

async function ethCall<T>(params: readonly unknown[], decode: Decode<T>, { endpoint, signal }: ReadOptions): Promise<T> {
  const output = readHexData(await endpoint.call({ method: 'eth_call', params }, { signal }));
  const decoded = output === undefined ? undefined : decode(output);
  if (decoded === undefined) {
    throw new AppError('upstream_malformed', `${endpoint.name} did not run our call.`, { provider: endpoint.name });
  }
  return decoded;
}

async function callSingly(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  const tag = blockTag(options);
  const items = await options.endpoint.batch(
    calls.map(({ to, data }) => ({ method: 'eth_call', params: [{ to, data }, tag] })),
    { signal: options.signal },
  );
  return items.map((item) => toBounded(item, options.endpoint.name));
}

async function scanSingly(chunk: ScanChunk, options: ReadOptions): Promise<ScanResult> {
  const tag = blockTag(options);
  const natives = await options.endpoint.batch(
    chunk.wallets.map((wallet) => ({ method: 'eth_getBalance', params: [wallet, tag] })),
    { signal: options.signal },
  );
  const calls = chunk.wallets.flatMap((wallet) => chunk.tokens.map((token) => balanceOf(token, wallet)));
  const tokens = (await callSingly(calls, options)).values();
  const results = natives.flatMap((native) => [
    { data: word(requireQuantity(native, options.endpoint.name)), size: 32 },
    ...chunk.tokens.map((): BoundedResult => tokens.next().value ?? 'bad_return'),
  ]);
  return toScan(chunk, results);
}

/** A call's own failure is an answer; anything else is the endpoint's fault and moves the whole chunk to another one. */
function toBounded(item: RpcItem, provider: string): BoundedResult {
  if (item.ok) {
    const data = readHexData(item.value);
    if (data === undefined) throw new AppError('upstream_malformed', `${provider} sent no bytes.`, { provider });
    return { data: data.slice(0, 1024), size: data.length / 2 };
  }
  const code = item.error instanceof AppError ? item.error.code : undefined;
  if (code === 'upstream_reverted') return 'reverted';
  if (code === 'upstream_out_of_gas') return 'out_of_gas';
  throw item.error;
}

function requireQuantity(item: RpcItem, provider: string): bigint {
  if (!item.ok) throw item.error;
  const quantity = readHexQuantity(item.value);
  if (quantity === undefined) throw new AppError('upstream_malformed', `${provider} sent no number.`, { provider });
  return quantity;
}

function scanCalls({ wallets, tokens }: ScanChunk, multicall3: string): readonly EvmCall[] {
  return wallets.flatMap((wallet) => [
    { to: multicall3, data: `0x${GET_ETH_BALANCE}${addressDigits(wallet).padStart(64, '0')}` },
    ...tokens.map((token) => balanceOf(token, wallet)),
  ]);
}

function balanceOf(token: string, wallet: string): EvmCall {
  return { to: token, data: `0x${BALANCE_OF}${addressDigits(wallet).padStart(64, '0')}` };
}

/** Slots from the answers of plain calls, in slot order. */
function toScan(chunk: ScanChunk, results: readonly BoundedResult[]): ScanResult {
  const slots = new Map<number, bigint | SlotFault>();
  for (const [slot, result] of results.entries()) {
    const isNative = slot % (chunk.tokens.length + 1) === 0;
    const amount =
      typeof result === 'string' ? result : (wordAt(result.data, 0) ?? (result.size === 0 ? 'no_code' : 'bad_return'));
    if (amount !== 0n || isNative) slots.set(slot, amount);
  }
  return slots;
}

function blockTag({ blockNumber }: ReadOptions): string {
  return `0x${blockNumber.toString(16)}`;
}
