import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import type { RawQuote } from '../../domain/quote-check.ts';
import type { EvmCaller, EvmCallResult } from '../evm-caller.ts';

export const CHAINLINK_ID = 'chainlink';

/** Beyond its heartbeat a feed is given this long to get its next round into a block. */
export const GRACE_MS = 3_600_000;

const LATEST_ROUND_DATA = '0xfeaf968c';
const DECIMALS = '0x313ce567';
const WORD_DIGITS = 64;
const ROUND_WORDS = 5;
const MAX_FEED_DECIMALS = 36n;
/** Seconds: the year 36812. */
const MAX_TIMESTAMP = 1n << 40n;

/** What each feed says now, by its address; no entry for one that does not answer like a feed. One request for all. Throws AppError when the chain cannot be asked. */
export async function readRounds(
  caller: EvmCaller,
  feeds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, RawQuote>> {
  const calls = feeds.flatMap((to) => [
    { to, data: LATEST_ROUND_DATA },
    { to, data: DECIMALS },
  ]);
  const { results } = await caller.callMany(calls, signal);
  const rounds = new Map<string, RawQuote>();
  for (const [index, feed] of feeds.entries()) {
    const round = toQuote(results[index * 2], results[index * 2 + 1]);
    if (round !== undefined) rounds.set(feed, round);
  }
  return rounds;
}

/** `latestRoundData()` gives (roundId, answer, startedAt, updatedAt, answeredInRound); the answer is a signed number with the feed's decimals. */
function toQuote(round: EvmCallResult | undefined, decimals: EvmCallResult | undefined): RawQuote | undefined {
  if (!round?.ok || !decimals?.ok) return undefined;
  const [roundId, answer, , updatedAt, answeredInRound] = words(round.data, ROUND_WORDS);
  const [places] = words(decimals.data, 1);
  if (roundId === undefined || answer === undefined || updatedAt === undefined || answeredInRound === undefined) return undefined;
  if (places === undefined || places > MAX_FEED_DECIMALS || updatedAt > MAX_TIMESTAMP) return undefined;
  const value = new Decimal(BigInt.asIntN(256, answer).toString()).shiftedBy(-Number(places));
  // An answer carried over from an earlier round is as old as that round, whatever its time says: treat it as having none.
  const quotedAt = answeredInRound < roundId ? new Date(0) : new Date(Number(updatedAt) * 1000);
  return { value: formatDecimal(value), source: CHAINLINK_ID, quotedAt };
}

/** The first words of what a contract returned, fewer when it returned less. */
function words(data: string, count: number): readonly bigint[] {
  const digits = data.slice(2, 2 + count * WORD_DIGITS);
  return Array.from({ length: Math.floor(digits.length / WORD_DIGITS) }, (_, index) =>
    BigInt(`0x${digits.slice(index * WORD_DIGITS, (index + 1) * WORD_DIGITS)}`),
  );
}
