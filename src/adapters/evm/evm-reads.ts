import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { RpcCall, RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';
import type { EvmCall } from '../evm-caller.ts';
import { type BlockPin, withBlockPin } from './block-pin.ts';
import scanner from './contracts/scanner.json' with { type: 'json' };
import type { EvmBlock } from './evm-block.ts';
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
} from './scan-codec.ts';

/** Where the override puts the scanner: the last 20 bytes of keccak256("chainfolio.scanner"), which nobody holds a key for. */
const SCANNER_ADDRESS = '0x646fa5bd03b9743f052d248380c3a2ea3ac28d6e';
const BALANCE_OF = '70a08231';
const GET_ETH_BALANCE = '4d2301cc';
/** As much as the scanner gives a call, and what every call costs before it begins. */
const SINGLE_CALL_GAS = '0xf4240';
/** What is kept of one answer, as the scanner keeps it. */
const MAX_RETURN_BYTES = 512;

export type ReadOptions = {
  readonly chain: EvmChain;
  readonly endpoint: RpcEndpoint;
  readonly block: EvmBlock;
  readonly signal: AbortSignal;
};

/** The balances of a chunk, by the best way the endpoint takes. Throws AppError; out of gas or too large asks for a smaller chunk. */
export function readScan(chunk: ScanChunk, options: ReadOptions): Promise<ScanResult> {
  const input = encodeScan(chunk);
  const decode = (output: Hex): ScanResult | undefined => decodeScan(output, chunk);
  return climb(options.endpoint, {
    override: () => callOverride(input, decode, options),
    deployless: () => callDeployless(input, decode, options),
    multicall: async () => toScan(await callMulticall(scanCalls(chunk, options.chain.multicall3), options)),
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
    multicall: async () => callVictimsAgain(calls, await callMulticall(calls, options), options),
    single: () => callSingly(calls, options),
  });
}

type Decode<T> = (output: Hex) => T | undefined;

async function callOverride<T>(input: Hex, decode: Decode<T>, options: ReadOptions): Promise<T> {
  const call = { to: SCANNER_ADDRESS, data: `0x${input}` };
  const override = { [SCANNER_ADDRESS]: { code: scanner.runtime } };
  return ethCall((pin) => [call, pin, override], decode, options);
}

async function callDeployless<T>(input: Hex, decode: Decode<T>, options: ReadOptions): Promise<T> {
  const call = { data: scanner.creation + encodeBytesArgument(input) };
  return ethCall((pin) => [call, pin], decode, options);
}

function callMulticall(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  const call = { to: options.chain.multicall3, data: `0x${encodeAggregate3(calls)}` };
  return ethCall(
    (pin) => [call, pin],
    (output) => decodeAggregate3(output, calls.length),
    options,
  );
}

async function ethCall<T>(
  params: (pin: BlockPin) => readonly unknown[],
  decode: Decode<T>,
  { endpoint, block, signal }: ReadOptions,
): Promise<T> {
  const answer = await withBlockPin({ endpoint, block }, (pin) =>
    endpoint.call({ method: 'eth_call', params: params(pin) }, { signal }),
  );
  const output = readHexData(answer);
  const decoded = output === undefined ? undefined : decode(output);
  if (decoded !== undefined) return decoded;
  // An endpoint that ignores overrides, or a chain without Multicall3, answers with no bytes.
  throw new AppError('upstream_unsupported', `${endpoint.name} did not run our call.`, { provider: endpoint.name });
}

/** Multicall3 gives its calls no gas of their own: one that fails there may be the victim of the one before it. */
async function callVictimsAgain(
  calls: readonly EvmCall[],
  results: readonly BoundedResult[],
  options: ReadOptions,
): Promise<readonly BoundedResult[]> {
  const faulty = calls.filter((_, index) => typeof results[index] === 'string');
  if (faulty.length === 0) return results;
  const again = (await callSingly(faulty, options)).values();
  return results.map((result) => (typeof result === 'string' ? (again.next().value ?? result) : result));
}

/** Plain calls, each with a bound on its gas, in one batch. */
export function callSingly(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  return batchAtBlock((pin) => calls.map((call) => boundedCall(call, pin)), options);
}

/** The balances of a chunk by plain calls, each with a bound on its gas, in one batch. */
export async function scanSingly(chunk: ScanChunk, options: ReadOptions): Promise<ScanResult> {
  const results = await batchAtBlock(
    (pin) =>
      chunk.wallets.flatMap((wallet) => [
        { method: 'eth_getBalance', params: [wallet, pin] },
        ...chunk.tokens.map((token) => boundedCall(balanceOf(token, wallet), pin)),
      ]),
    options,
  );
  return toScan(results);
}

function boundedCall({ to, data }: EvmCall, pin: BlockPin): RpcCall {
  return { method: 'eth_call', params: [{ to, data, gas: SINGLE_CALL_GAS }, pin] };
}

async function batchAtBlock(
  calls: (pin: BlockPin) => readonly RpcCall[],
  { endpoint, block, signal }: ReadOptions,
): Promise<readonly BoundedResult[]> {
  return withBlockPin({ endpoint, block }, async (pin) => {
    const asked = calls(pin);
    const items = await endpoint.batch(asked, { signal });
    const isServed = items.some((item) => item.ok);
    return items.map((item, index) => toBounded(item, { call: asked[index], isServed, provider: endpoint.name }));
  });
}

/** A call's own failure is an answer; anything else is the endpoint's fault and moves the whole chunk to another one. */
function toBounded(
  item: RpcItem,
  { call, isServed, provider }: { call: RpcCall | undefined; isServed: boolean; provider: string },
): BoundedResult {
  if (item.ok) {
    const quantity = call?.method === 'eth_getBalance' ? readHexQuantity(item.value) : undefined;
    const data = quantity === undefined ? readHexData(item.value) : word(quantity);
    if (data === undefined) throw new AppError('upstream_malformed', `${provider} sent no bytes.`, { provider });
    return { data: data.slice(0, MAX_RETURN_BYTES * 2), size: data.length / 2 };
  }
  const code = item.error instanceof AppError ? item.error.code : undefined;
  if (code === 'upstream_reverted') return 'reverted';
  if (code === 'upstream_out_of_gas') return 'out_of_gas';
  // Nodes have many words for a contract that breaks; one that answers the other calls means this one.
  if (code === 'upstream_rpc_error' && isServed && call?.method === 'eth_call') return 'reverted';
  throw item.error;
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

/** Slots from the answers of plain calls, which come in slot order. */
function toScan(results: readonly BoundedResult[]): ScanResult {
  return results.map((result) => {
    if (typeof result === 'string') return result;
    return wordAt(result.data, 0) ?? (result.size === 0 ? 'no_code' : 'bad_return');
  });
}
