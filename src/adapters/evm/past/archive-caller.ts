import { AppError } from '../../../domain/errors.ts';
import type { PastEvmCaller } from '../../evm-caller.ts';
import { readInHalves, toCallResult } from '../evm-caller.ts';
import type { ArchiveDeps } from './archive-balance-source.ts';
import { askPast } from './archive-endpoints.ts';

/** Calls of contracts as they were at a moment. */
export function createArchiveCaller({ chain, pool, blocks }: ArchiveDeps): PastEvmCaller {
  return (moment) => ({
    async callMany(calls, signal) {
      const block = await blocks.find(moment, signal);
      if (block === undefined) throw new AppError('upstream_block_unavailable', `${chain.name} began later.`);
      return askPast(pool, block.number).run(async (endpoint, ownSignal) => {
        const results = await readInHalves(calls, { chain, endpoint, block, signal: ownSignal });
        return { block, results: results.map((result) => toCallResult(result, endpoint.name)) };
      }, signal);
    },
  });
}
