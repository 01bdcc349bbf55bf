import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { currencyFeeds } from '../../../src/adapters/chainlink/chainlink-feeds.ts';
import { createChainlinkFxSource } from '../../../src/adapters/chainlink/chainlink-fx-source.ts';
import { DEAD_URL } from '../price-fixtures.ts';
import { createCaller, putFeed, setFeed } from './chainlink-setup.ts';

const { EUR = '', JPY = '', GBP = '', CHF = '' } = currencyFeeds;
const signal = new AbortController().signal;
const now = (): Date => new Date();
let chain: LocalChain;

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
  await putFeed(chain, { address: EUR, decimals: 8, answer: 108_460_000n });
  await putFeed(chain, { address: JPY, decimals: 8, answer: 649_386n });
  await putFeed(chain, { address: GBP, decimals: 18, answer: 0n });
  await putFeed(chain, { address: CHF, decimals: 8, answer: 114_000_000n });
});
afterAll(() => chain?.stop());

test('tells how much of a currency a dollar buys, from dollars for one unit of it', async () => {
  await setFeed(chain, EUR, { answer: 108_460_000n, ageSeconds: 60 * 3600 });
  await setFeed(chain, CHF, { answer: 114_000_000n, ageSeconds: 97 * 3600 });
  const rates = await createChainlinkFxSource({ caller: createCaller(chain.rpcUrl), now }).fetchRates(signal);
  // Over a weekend a rate rests; after four days it is forgotten. A rate of zero and feeds that are not there are no rates.
  expect([...rates.keys()]).toEqual(['EUR', 'JPY']);
  expect(rates.get('EUR')).toMatchObject({ currency: 'EUR', perUsd: '0.921998893601327678', source: 'chainlink' });
  expect(rates.get('JPY')?.perUsd).toBe('153.991616696387048689');
  const ageMs = Date.now() - (rates.get('EUR')?.quotedAt.getTime() ?? 0);
  expect(Math.round(ageMs / 3_600_000)).toBe(60);
});

test('throws when Ethereum cannot be asked', async () => {
  const source = createChainlinkFxSource({ caller: createCaller(DEAD_URL), now });
  await expect(source.fetchRates(signal)).rejects.toMatchObject({ code: 'upstream_unreachable' });
});
