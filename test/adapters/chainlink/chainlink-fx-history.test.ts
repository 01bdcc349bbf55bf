import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { currencyFeeds } from '../../../src/adapters/chainlink/chainlink-feeds.ts';
import { createChainlinkFxHistory } from '../../../src/adapters/chainlink/chainlink-fx-history.ts';
import { createBlockFinder } from '../../../src/adapters/evm/past/archive-blocks.ts';
import { createArchiveCaller } from '../../../src/adapters/evm/past/archive-caller.ts';
import type { FxHistorySource } from '../../../src/adapters/price-history.ts';
import { createPool, LOCAL_CHAIN } from '../evm/evm-setup.ts';
import { putFeed } from './chainlink-setup.ts';

const { EUR = '' } = currencyFeeds;
const DAY_MS = 86_400_000;
const GENESIS = new Date('2026-05-01T00:00:00Z');
const signal = new AbortController().signal;
const day = (count: number): Date => new Date(GENESIS.getTime() + count * DAY_MS);
let chain: LocalChain;
let history: FxHistorySource;

/** Dollars for a euro, as the feed tells them from a moment on. */
async function quote(answer: bigint, moment: Date): Promise<void> {
  await chain.mineAt(moment);
  await chain.send(EUR, 'set(int256,uint256)', [answer, BigInt(moment.getTime() / 1000)]);
}

beforeAll(async () => {
  chain = await startLocalChain({ chainId: LOCAL_CHAIN.chainId, genesisAt: GENESIS });
  await chain.mineAt(day(1));
  await putFeed(chain, { address: EUR, decimals: 8, answer: 0n });
  await quote(125_000_000n, day(2));
  await quote(100_000_000n, day(4));
  await chain.mineAt(day(20));
  const pool = createPool([chain.rpcUrl]);
  const callerAt = createArchiveCaller({ chain: LOCAL_CHAIN, pool, blocks: createBlockFinder({ chain: LOCAL_CHAIN, pool }) });
  history = createChainlinkFxHistory({ callerAt });
});
afterAll(() => chain?.stop());

test('tells the rate of a moment as the feed told it then, and when it was quoted', async () => {
  expect(await history.fetchRatesAt(day(3), signal)).toEqual([
    { currency: 'EUR', perUsd: '0.8', source: 'chainlink', quotedAt: day(2) },
  ]);
  expect(await history.fetchRatesAt(day(5), signal)).toMatchObject([{ perUsd: '1', quotedAt: day(4) }]);
});

test('tells none where there was no feed yet, or one that had long been silent', async () => {
  expect(await history.fetchRatesAt(day(0.5), signal)).toEqual([]);
  expect(await history.fetchRatesAt(day(15), signal)).toEqual([]);
  await expect(history.fetchRatesAt(day(-3), signal)).rejects.toMatchObject({ code: 'upstream_block_unavailable' });
});
