import type { EvmChain } from '../../../domain/chain.ts';
import { AppError } from '../../../domain/errors.ts';
import type { EndpointPool } from '../../../lib/json-rpc/pool/endpoint-pool.ts';
import { type EvmBlock, fetchBlock, fetchHead } from '../evm-block.ts';

/** Finds blocks by the time they were made, and remembers what it learnt of the times of others. */
export type BlockFinder = {
  /**
   * The last block made by the moment; undefined when the chain began later. Throws upstream_block_unavailable when no block has been made since, so that the last one is not
   * known yet.
   */
  find(moment: Date, signal: AbortSignal): Promise<EvmBlock | undefined>;
};

type Place = { readonly number: bigint; readonly seconds: number };
type Bracket = { readonly lower: Place; readonly upper: Place };

/** More than a bisection of any chain takes. */
const MAX_STEPS = 200;
/** Every so often the middle is tried, for chains whose pace changed. */
const BISECT_EVERY = 4;
const MAX_REMEMBERED = 5_000;

export function createBlockFinder({ chain, pool }: { readonly chain: EvmChain; readonly pool: EndpointPool }): BlockFinder {
  let known: readonly Place[] = [];
  const remember = (block: EvmBlock): Place => {
    const place = toPlace(block);
    if (known.length >= MAX_REMEMBERED) known = [];
    known = [...known.filter(({ number }) => number !== place.number), place];
    return place;
  };
  const fetchAt = (number: bigint, signal: AbortSignal): Promise<EvmBlock> =>
    pool.run((endpoint, ownSignal) => fetchBlock(endpoint, number, ownSignal), signal);

  return {
    async find(moment, signal) {
      const wanted = Math.floor(moment.getTime() / 1000);
      const later = known.filter(({ seconds }) => seconds > wanted);
      const earlier = known.filter(({ seconds }) => seconds <= wanted);
      const upper =
        least(later) ??
        remember(await pool.run((endpoint, ownSignal) => fetchHead(endpoint, { chain, pool, signal: ownSignal }), signal));
      if (upper.seconds <= wanted) throw notYet(chain);
      const lower = greatest(earlier) ?? remember(await fetchAt(0n, signal));
      if (lower.seconds > wanted) return undefined;
      const number = await narrow({ lower, upper }, { wanted, look: async (at) => remember(await fetchAt(at, signal)) });
      return fetchAt(number, signal);
    },
  };
}

/** The number of the last block of the bracket that is not after the second wanted. */
async function narrow(
  start: Bracket,
  { wanted, look }: { readonly wanted: number; readonly look: (number: bigint) => Promise<Place> },
): Promise<bigint> {
  let { lower, upper } = start;
  for (let step = 1; upper.number - lower.number > 1n; step += 1) {
    if (step > MAX_STEPS) throw new AppError('upstream_malformed', 'The times of the blocks make no sense.');
    const found = await look(guess({ lower, upper }, wanted, step));
    if (found.seconds <= wanted) lower = found;
    else upper = found;
  }
  return lower.number;
}

/** Where the block would be if all between were made at one pace. */
function guess({ lower, upper }: Bracket, wanted: number, step: number): bigint {
  const span = upper.number - lower.number;
  const share = step % BISECT_EVERY === 0 ? 0.5 : (wanted - lower.seconds) / (upper.seconds - lower.seconds);
  const ahead = BigInt(Math.round(Number(span) * share));
  return lower.number + (ahead < 1n ? 1n : ahead >= span ? span - 1n : ahead);
}

function toPlace({ number, madeAt }: EvmBlock): Place {
  if (madeAt === undefined) throw new AppError('upstream_malformed', 'A block does not say when it was made.');
  return { number, seconds: madeAt.getTime() / 1000 };
}

function least(places: readonly Place[]): Place | undefined {
  return places.reduce<Place | undefined>(
    (best, place) => (best === undefined || place.number < best.number ? place : best),
    undefined,
  );
}

function greatest(places: readonly Place[]): Place | undefined {
  return places.reduce<Place | undefined>(
    (best, place) => (best === undefined || place.number > best.number ? place : best),
    undefined,
  );
}

function notYet({ name }: EvmChain): AppError {
  return new AppError('upstream_block_unavailable', `${name} has not come past this moment.`);
}
