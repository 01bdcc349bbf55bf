import { AppError, type UpstreamErrorCode } from '../../domain/errors.ts';

/** The families of JSON-RPC servers: some numbers mean different things in each. */
export type RpcFamily = 'evm' | 'solana';

/** The `error` object of an answer. */
export type RpcErrorObject = { readonly code: number; readonly message: string };

/** Numbers that say the same whatever the text. */
const BY_CODE: Readonly<Record<RpcFamily, ReadonlyMap<number, UpstreamErrorCode>>> = {
  evm: new Map([
    [3, 'upstream_reverted'],
    [429, 'upstream_rate_limited'],
    [-32005, 'upstream_rate_limited'],
    [-32007, 'upstream_rate_limited'],
    [-32009, 'upstream_rate_limited'],
    [-32429, 'upstream_rate_limited'],
    [401, 'upstream_unauthorized'],
    [402, 'upstream_unauthorized'],
    [403, 'upstream_unauthorized'],
    [-32601, 'upstream_unsupported'],
    [-32612, 'upstream_unsupported'],
    [-32613, 'upstream_unsupported'],
  ]),
  solana: new Map([
    // Behind the others, or behind what was asked for: another node may have it.
    [-32001, 'upstream_block_unavailable'],
    [-32004, 'upstream_block_unavailable'],
    [-32005, 'upstream_block_unavailable'],
    [-32007, 'upstream_block_unavailable'],
    [-32009, 'upstream_block_unavailable'],
    [-32014, 'upstream_block_unavailable'],
    [-32016, 'upstream_block_unavailable'],
    [429, 'upstream_rate_limited'],
    [-32429, 'upstream_rate_limited'],
    [401, 'upstream_unauthorized'],
    [402, 'upstream_unauthorized'],
    [403, 'upstream_unauthorized'],
    // The node does not keep the index, or the past, that the call needs.
    [-32010, 'upstream_unsupported'],
    [-32011, 'upstream_unsupported'],
    [-32015, 'upstream_unsupported'],
    [-32601, 'upstream_unsupported'],
    [-32612, 'upstream_unsupported'],
    [-32613, 'upstream_unsupported'],
  ]),
};

/** The patterns below may be slow on long texts, and the text is the other side's. */
const MAX_MESSAGE_LENGTH = 300;

/**
 * What was asked for spans too many blocks, or has too long an answer: the hosts say it in many words and under any number, some of which mean something
 * else with other words.
 */
const TOO_WIDE =
  /\brange\b.{0,40}(exceed|too |limit|maximum)|(exceed|limited to|up to|bigger|max)\w*.{0,30}\brange\b|ranges over \d|returned more than|too many (results|logs|blocks)|blocks? distance|query timeout/i;
const REVERTED = /execution reverted|vm exception while processing/i;

/** The words of node software and of the big hosts, in the order in which they are tried. */
const BY_TEXT: readonly (readonly [RegExp, UpstreamErrorCode])[] = [
  // First of all, since what follows are a contract's own words: a token must not pass for a rate limit.
  [REVERTED, 'upstream_reverted'],
  [/rate.?limit|too many requests|request limit|quota|capacity|throttl|compute units per second/i, 'upstream_rate_limited'],
  [
    /out ?of ?gas|gas required exceeds|gas (limit|allowance)|execution (timeout|aborted)|evm timeout|timed? ?out/i,
    'upstream_out_of_gas',
  ],
  [
    /header (for hash )?not found|resource not found|unknown block|block (not found|is not available)|block.?out.?of.?range|not currently canonical|missing trie node|state .*(not available|unavailable|pruned)|historical state/i,
    'upstream_block_unavailable',
  ],
  // A plan or a node without the past.
  [/archive|prun(ed|ing)|older than \d{1,9} blocks|no state available|proof window/i, 'upstream_no_history'],
  [/revert|invalid.*opcode|invalid ?jump|stack ?(underflow|overflow|limit)|vm execution error/i, 'upstream_reverted'],
  [
    /too (large|big|many(?! arguments))|(size|length) ?(limit|exceed)|exceeds?.*(size|length|max)|max.*(size|length)/i,
    'upstream_too_large',
  ],
  [/unauthori[sz]ed|api.?key|forbidden|authenticat/i, 'upstream_unauthorized'],
  [/not supported|unsupported|not available|not enabled|disabled|does not exist|excluded from/i, 'upstream_unsupported'],
];

/** What an RPC error means, by its number within the family first and by its words second, but for queries that are too wide. */
export function classifyRpcError(family: RpcFamily, { code, message }: RpcErrorObject): UpstreamErrorCode {
  const text = message.slice(0, MAX_MESSAGE_LENGTH);
  const byCode = BY_CODE[family].get(code);
  if (byCode !== 'upstream_reverted' && family === 'evm' && TOO_WIDE.test(text) && !REVERTED.test(text))
    return 'upstream_too_large';
  if (byCode !== undefined) return byCode;
  return BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'upstream_rpc_error';
}

/** An RPC error as an AppError. The server's own words go into the cause, for the log alone: they may quote the URL. */
export function toRpcError(family: RpcFamily, provider: string, error: RpcErrorObject): AppError {
  const words = new Error(error.message.slice(0, MAX_MESSAGE_LENGTH));
  return new AppError(classifyRpcError(family, error), `${provider} answered with RPC error ${error.code}.`, {
    provider,
    cause: words,
  });
}
