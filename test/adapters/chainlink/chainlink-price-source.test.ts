import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { priceFeeds } from '../../../src/adapters/chainlink/chainlink-feeds.ts';
import { createChainlinkPriceSource } from '../../../src/adapters/chainlink/chainlink-price-source.ts';
import { assetKey } from '../../../src/domain/asset.ts';
import { describePriceSource } from '../../contract/price-source.contract.ts';
import { type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { DEAD_URL, ETHER, NOBODYS, SOL, SOLANA_USDC, USDC } from '../price-fixtures.ts';
import { answering, createCaller, putFeed, setFeed } from './chainlink-setup.ts';

const ETH_FEED = priceFeeds['ETH / USD']?.address ?? '';
const USDC_FEED = priceFeeds['USDC / USD']?.address ?? '';
const HOUR_SECONDS = 3600;

const now = (): Date => new Date();
const signal = new AbortController().signal;
let chain: LocalChain;
let proxy: RpcProxy;

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
  proxy = await startRpcProxy(chain.rpcUrl);
  await putFeed(chain, { address: ETH_FEED, decimals: 8, answer: 310_542_000_000n });
  await putFeed(chain, { address: USDC_FEED, decimals: 18, answer: 999_812_345_678_901_234n });
});
afterAll(async () => {
  await proxy?.close();
  await chain?.stop();
});

describePriceSource('Chainlink', async () => {
  const heal = async (): Promise<void> => {
    await setFeed(chain, ETH_FEED, { answer: 310_542_000_000n });
    await setFeed(chain, USDC_FEED, { answer: 999_812_345_678_901_234n });
  };
  const spoilt = {
    quote_zero: { answer: 0n },
    quote_negative: { answer: -1n },
    quote_absurd: { answer: 10n ** 30n },
    quote_too_old: { answer: 10n ** 8n, ageSeconds: 26 * HOUR_SECONDS },
  };
  return {
    source: createChainlinkPriceSource({ caller: createCaller(chain.rpcUrl), now }),
    deadSource: createChainlinkPriceSource({ caller: createCaller(DEAD_URL), now }),
    quoted: [
      { asset: USDC, price: '0.999812345678901234' },
      { asset: ETHER, price: '3105.42' },
    ],
    unquoted: NOBODYS,
    async spoil(how) {
      await setFeed(chain, ETH_FEED, spoilt[how]);
      await setFeed(chain, USDC_FEED, spoilt[how]);
    },
    heal,
    close: async () => undefined,
  };
});

test('reads the feeds of many assets in one call, each feed once', async () => {
  const source = createChainlinkPriceSource({ caller: createCaller(proxy.url), now });
  await source.fetchPrices([ETHER], signal);
  const before = proxy.requests;
  const assets = Object.values(priceFeeds).flatMap((feed) =>
    feed.assets.map((key) => {
      const [slug = '', address = ''] = key.split('/');
      return { chain: slug, address: address === 'native' ? null : address };
    }),
  );
  const answers = await source.fetchPrices(assets, signal);
  expect(answers).toHaveLength(assets.length);
  expect(answers.filter((answer) => 'quote' in answer).length).toBeGreaterThan(15);
  // The newest block, and the calls at it.
  expect(proxy.requests - before).toBeLessThanOrEqual(2);
});

test('believes a feed until an hour after its heartbeat', async () => {
  const source = createChainlinkPriceSource({ caller: createCaller(chain.rpcUrl), now });
  const ask = async (ageSeconds: number): Promise<string> => {
    await setFeed(chain, ETH_FEED, { answer: 10n ** 8n, ageSeconds });
    await setFeed(chain, USDC_FEED, { answer: 10n ** 18n, ageSeconds });
    const answers = await source.fetchPrices([ETHER, USDC], signal);
    return answers.map((answer) => ('quote' in answer ? 'ok' : answer.refused.reason)).join();
  };
  // The heartbeats are an hour and a day.
  expect(await ask(1.9 * HOUR_SECONDS)).toBe('ok,ok');
  expect(await ask(2.1 * HOUR_SECONDS)).toBe('quote_too_old,ok');
  expect(await ask(24.9 * HOUR_SECONDS)).toBe('quote_too_old,ok');
  expect(await ask(25.1 * HOUR_SECONDS)).toBe('quote_too_old,quote_too_old');
});

test('prices one thing alike on every chain, whatever the case of its address', async () => {
  const source = createChainlinkPriceSource({ caller: createCaller(chain.rpcUrl), now });
  const upper = { chain: 'ethereum', address: `0x${USDC.address?.slice(2).toUpperCase()}` };
  expect([SOL, SOLANA_USDC, upper].map((asset) => source.supports(asset))).toEqual([true, true, true]);
  expect(source.supports({ chain: 'solana', address: SOLANA_USDC.address?.toLowerCase() ?? '' })).toBe(false);
  expect(source.supports({ chain: 'base', address: USDC.address })).toBe(false);
});

const seconds = BigInt(Math.floor(Date.now() / 1000));

test.each<[string, readonly bigint[] | undefined, readonly bigint[] | undefined, string]>([
  ['a round carried over from an earlier one', [5n, 10n ** 8n, seconds, seconds, 4n], [8n], 'quote_too_old'],
  ['no time at all', [5n, 10n ** 8n, 0n, 0n, 5n], [8n], 'quote_too_old'],
  ['a time to come', [5n, 10n ** 8n, seconds, seconds + 900n, 5n], [8n], 'quote_from_future'],
  ['a time that is none', [5n, 10n ** 8n, seconds, 2n ** 255n, 5n], [8n], 'not_quoted'],
  ['too few words', [5n, 10n ** 8n], [8n], 'not_quoted'],
  ['no words', [], [8n], 'not_quoted'],
  ['a revert', undefined, [8n], 'not_quoted'],
  ['no decimals', [5n, 10n ** 8n, seconds, seconds, 5n], undefined, 'not_quoted'],
  ['274 decimals', [5n, 10n ** 8n, seconds, seconds, 5n], [274n], 'not_quoted'],
  ['the least int256', [5n, 2n ** 255n, seconds, seconds, 5n], [8n], 'quote_negative'],
  ['the greatest int256', [5n, 2n ** 255n - 1n, seconds, seconds, 5n], [36n], 'quote_absurd'],
])('takes nothing from a feed with %s', async (_, round, decimals, reason) => {
  const source = createChainlinkPriceSource({ caller: answering(({ isRound }) => (isRound ? round : decimals)), now });
  expect(await source.fetchPrices([ETHER], signal)).toMatchObject([{ asset: ETHER, refused: { source: 'chainlink', reason } }]);
});

test('lets a broken feed spoil no other', async () => {
  const good = [5n, 10n ** 8n, seconds, seconds, 5n];
  const caller = answering(({ to, isRound }) => (to === ETH_FEED ? undefined : isRound ? good : [8n]));
  const answers = await createChainlinkPriceSource({ caller, now }).fetchPrices([ETHER, USDC], signal);
  expect(answers.map((answer) => [assetKey(answer.asset), 'quote' in answer])).toEqual([
    [assetKey(ETHER), false],
    [assetKey(USDC), true],
  ]);
});
