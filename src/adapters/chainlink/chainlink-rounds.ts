import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import type { RawQuote } from '../../domain/quote-check.ts';
import type { EvmCaller, EvmCallResult } from '../evm-caller.ts';

export const CHAINLINK_ID = 'chainlink';

const LATEST_ROUND_DATA = '0xfeaf968c';
const DECIMALS = '0x313ce567';
const MAX_FEED_DECIMALS = 36n;

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
  const [roundId, answer, , updatedAt, answeredInRound] = words(round.data);
  const [places] = words(decimals.data);
  if (roundId === undefined || answer === undefined || updatedAt === undefined || answeredInRound === undefined) return undefined;
  if (places === undefined || places > MAX_FEED_DECIMALS || updatedAt > 1n << 40n) return undefined;
  const value = new Decimal(BigInt.asIntN(256, answer).toString()).shiftedBy(-Number(places));
  // An answer carried over from an earlier round is as old as that round, whatever its time says: treat it as having none.
  const quotedAt = answeredInRound < roundId ? new Date(0) : new Date(Number(updatedAt) * 1000);
  return { value: formatDecimal(value), source: CHAINLINK_ID, quotedAt };
}

function words(data: string): readonly bigint[] {
  const digits = data.slice(2);
  return Array.from({ length: Math.floor(digits.length / 64) }, (_, index) =>
    BigInt(`0x${digits.slice(index * 64, (index + 1) * 64)}`),
  );
}
