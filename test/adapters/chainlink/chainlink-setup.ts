import { deployAt } from '../../../localnet/evm/deploy-at.ts';
import type { LocalChain } from '../../../localnet/evm/local-chain.ts';
import { createEvmCaller } from '../../../src/adapters/evm/evm-caller.ts';
import type { EvmCaller } from '../../../src/adapters/evm-caller.ts';
import { createPool, LOCAL_CHAIN } from '../evm/evm-setup.ts';

/** Puts a feed where the real one is; its answer is one of `decimals` places, made now. */
export async function putFeed(
  chain: LocalChain,
  feed: { readonly address: string; readonly decimals: number; readonly answer: bigint },
): Promise<void> {
  const values = ['X / USD', feed.decimals, feed.answer] as const;
  await deployAt(chain, feed.address, { name: 'Aggregator', types: ['string', 'uint8', 'int256'], values });
  await setFeed(chain, feed.address, { answer: feed.answer });
}

/** Writes a feed's next round, `ageSeconds` ago. */
export async function setFeed(
  chain: LocalChain,
  address: string,
  { answer, ageSeconds = 0 }: { readonly answer: bigint; readonly ageSeconds?: number },
): Promise<void> {
  const updatedAt = BigInt(Math.floor(Date.now() / 1000) - ageSeconds);
  await chain.send(address, 'set(int256,uint256)', [answer, updatedAt]);
}

/** Calls through a real client. */
export function createCaller(url: string): EvmCaller {
  return createEvmCaller({ chain: LOCAL_CHAIN, pool: createPool([url]) });
}

/** A caller whose every call returns these words, or fails where there are none. */
export function answering(
  rounds: (call: { readonly to: string; readonly isRound: boolean }) => readonly bigint[] | undefined,
): EvmCaller {
  return {
    callMany: async (calls) => ({
      block: { number: 1n, hash: '0x1' },
      results: calls.map(({ to, data }) => {
        const words = rounds({ to, isRound: data === '0xfeaf968c' });
        if (words === undefined) return { ok: false, error: { code: 'upstream_reverted', provider: 'rpc.example' } };
        return { ok: true, data: `0x${words.map((word) => BigInt.asUintN(256, word).toString(16).padStart(64, '0')).join('')}` };
      }),
    }),
  };
}
