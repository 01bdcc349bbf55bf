import { MAX_DECIMALS } from '../../domain/amount.ts';
import type { AssetFlag } from '../../domain/asset.ts';
import type { EvmChain } from '../../domain/chain.ts';
import { toSourceError } from '../../domain/holding.ts';
import { cleanTokenText } from '../../domain/token-text.ts';
import { chunk } from '../../lib/concurrency.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { TokenDescription } from '../balance-source.ts';
import type { EvmCall } from '../evm-caller.ts';
import { callAtNewestBlock } from './evm-caller.ts';
import { type Hex, sliceBytes, wordAt } from './hex.ts';
import type { BoundedResult } from './scan-codec.ts';

type DescribeOptions = { readonly chain: EvmChain; readonly pool: EndpointPool; readonly signal: AbortSignal };

/** decimals(), symbol(), name(), balanceOf(address(0)). */
const QUESTIONS = ['313ce567', '95d89b41', '06fdde03', `70a08231${'0'.repeat(64)}`] as const;
const TOKENS_PER_REQUEST = 25;

/** What each contract says of itself. A token is what answers `balanceOf` with a word; hostile answers to the rest cost only their own field. */
export async function describeTokens(
  addresses: readonly string[],
  options: DescribeOptions,
): Promise<ReadonlyMap<string, TokenDescription>> {
  const descriptions = new Map<string, TokenDescription>();
  for (const group of chunk(addresses, TOKENS_PER_REQUEST)) {
    const calls = group.flatMap((to) => QUESTIONS.map((data): EvmCall => ({ to, data: `0x${data}` })));
    try {
      const { results } = await callAtNewestBlock(calls, options);
      for (const [index, address] of group.entries()) {
        const answers = results.slice(index * QUESTIONS.length, (index + 1) * QUESTIONS.length);
        descriptions.set(address, toDescription(options.chain.slug, address, answers));
      }
    } catch (error) {
      for (const address of group) descriptions.set(address, { status: 'failed', error: toSourceError(error) });
    }
  }
  return descriptions;
}

function toDescription(
  chain: string,
  address: string,
  [decimals, symbol, name, balance]: readonly BoundedResult[],
): TokenDescription {
  const isToken = typeof balance === 'object' && balance.size >= 32;
  if (!isToken || isPrecompile(address)) return { status: 'not_a_token' };
  const flags: AssetFlag[] = [];
  const texts = [symbol, name].map(readText);
  if (texts.some((text) => text.isUnreadable)) flags.push('metadata_unreadable');
  if (texts.some((text) => text.isTruncated)) flags.push('metadata_truncated');
  return {
    status: 'ok',
    info: {
      chain,
      address,
      standard: 'erc20',
      symbol: texts[0]?.text ?? null,
      name: texts[1]?.text ?? null,
      decimals: readDecimals(decimals),
      flags,
    },
  };
}

/** Precompiled contracts answer any call with some word, without having code. */
function isPrecompile(address: string): boolean {
  return BigInt(address) < 0x1000n;
}

/** The whole word counts: a uint8 cut out of it would take 274 for 18. */
function readDecimals(answer: BoundedResult | undefined): number | null {
  if (typeof answer !== 'object') return null;
  const value = wordAt(answer.data, 0);
  return value === undefined || value > BigInt(MAX_DECIMALS) ? null : Number(value);
}

type TokenText = { readonly text: string | null; readonly isTruncated: boolean; readonly isUnreadable: boolean };

/** A `string`, or the `bytes32` of early tokens. Bytes that are no UTF-8 are left out of the text and flagged. */
function readText(answer: BoundedResult | undefined): TokenText {
  const found = typeof answer === 'object' ? findTextBytes(answer) : undefined;
  if (found === undefined) return { text: null, isTruncated: false, isUnreadable: true };
  const decoded = new TextDecoder().decode(Buffer.from(found.bytes, 'hex'));
  return {
    text: cleanTokenText(decoded),
    isTruncated: found.isTruncated,
    isUnreadable: decoded.includes('\uFFFD') && !found.isTruncated,
  };
}

function findTextBytes({ data, size }: Exclude<BoundedResult, string>): { bytes: Hex; isTruncated: boolean } | undefined {
  if (size === 32) return { bytes: data.replace(/(?:00)+$/, ''), isTruncated: false };
  const offset = wordAt(data, 0);
  const length = offset === undefined || offset > BigInt(size) ? undefined : wordAt(data, Number(offset));
  if (offset === undefined || length === undefined || length > BigInt(size)) return undefined;
  const bytes = sliceBytes(data, Number(offset) + 32, Number(length));
  return { bytes, isTruncated: bytes.length < Number(length) * 2 };
}
