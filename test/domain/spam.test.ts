import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chains } from '../../src/domain/chains.ts';
import { judgeSpam } from '../../src/domain/spam.ts';
import { hasBadPattern } from '../../src/domain/spam-patterns.ts';
import { listedTokens } from '../../src/domain/token-list.ts';
import { buildAsset, buildSettings, NOW } from '../support/builders.ts';

const STRANGE = '0x00000000000000000000000000000000DeaDBeef';

function judge({
  symbol = 'ZQX',
  name = 'Zeta Quux',
  chain = 'ethereum',
  hasPrice = true,
  settings = buildSettings(),
}: {
  symbol?: string | null;
  name?: string | null;
  chain?: string;
  hasPrice?: boolean;
  settings?: ReturnType<typeof buildSettings>;
}) {
  return judgeSpam({ asset: buildAsset({ chain, address: STRANGE, symbol, name, listed: false }), settings, hasPrice });
}

test('an unlisted token with a price and an honest name is no spam', () => {
  expect(judge({})).toEqual({ isSpam: false, reasons: [], decidedBy: 'rules' });
});

describe('names that lure', () => {
  test.each([
    'Visit usdc-drop.com to claim rewards',
    'claim at bit.ly/xyz',
    'www.uniswap-v4.org',
    'https://aave.promo',
    '$5000 at blur-gift',
    'AirDrop Pepe',
    '1000 USDT Voucher',
    't.me/freesol',
    'USDC Reward at arb.fund',
    'аpple.соm claim',
    'ＣＬＡＩＭ now',
    'Eligible holders',
    'get it on eth-layer.xyz',
    '! UniswapLP.com',
    'swap on ether-pool.io',
    '🎁 Jupiter',
    'Tеther USD',
  ])('%s', (name) => {
    expect(judge({ name })).toMatchObject({ isSpam: true, reasons: ['bad_pattern'], decidedBy: 'rules' });
    expect(judge({ symbol: name, name: null }).reasons).toContain('bad_pattern');
  });
});

test.each([
  ['YRNX', 'yearn.finance'],
  ['CRV3', 'Curve.fi DAI/USDC/USDT'],
  ['RWD', 'Reward Bearing Certificate'],
  ['VISITOR', 'Visitors Of Imma Degen'],
  ['FETX', 'Fetch.ai Two'],
  ['λETH', 'λ Ether'],
  ['РУБ', 'Рубль'],
  ['東京', '東京コイン'],
  ['VOTE2', 'Claimant Court'],
])('%s (%s) is left alone', (symbol, name) => {
  expect(judge({ symbol, name }).reasons).toEqual([]);
});

describe('impersonation', () => {
  test.each([
    'USDC',
    'usdc',
    'U S D C',
    'USDС',
    'ＵＳＤＣ',
    'U$DC',
    '$USDC',
    '$USDC',
    'U5DC',
    'ÜSDC',
    '𝗨𝗦𝗗𝗖',
    'USD₮',
    'WЕTH',
    'ETH',
    'BTC',
    'SOL',
    'AAVE',
    'LlNK',
    'L1NK',
  ])('%s passes for a coin everybody knows, price or not', (symbol) => {
    expect(judge({ symbol }).reasons).toContain('impersonation');
    expect(judge({ symbol, chain: 'solana' }).reasons).toContain('impersonation');
  });

  test('a less known symbol to the letter is a namesake when it has a price, and suspect when it has none', () => {
    const tracked = buildSettings({ trackedAt: NOW });
    expect(judge({ symbol: 'ONDO' }).reasons).toEqual([]);
    expect(judge({ symbol: 'ONDO', hasPrice: false, settings: tracked }).reasons).toEqual(['impersonation']);
    expect(judge({ symbol: 'ОNDО' }).reasons).toContain('impersonation');
    expect(judge({ symbol: 'ONDO', chain: 'gnosis' }).reasons).toEqual([]);
  });
});

describe('no price and no list entry', () => {
  test('is spam, also when the token has no name', () => {
    expect(judge({ hasPrice: false })).toEqual({ isSpam: true, reasons: ['unlisted_unpriced'], decidedBy: 'rules' });
    expect(judge({ symbol: null, name: null, hasPrice: false }).reasons).toEqual(['unlisted_unpriced']);
  });

  test('is no spam when the owner added the token, but a lure stays one', () => {
    const settings = buildSettings({ trackedAt: NOW });
    expect(judge({ hasPrice: false, settings }).isSpam).toBe(false);
    expect(judge({ hasPrice: false, settings, name: 'claim.com' }).reasons).toEqual(['bad_pattern']);
  });
});

describe('the owner’s word', () => {
  test('clears a token and still tells what the rules found', () => {
    const settings = buildSettings({ spam: 'not_spam' });
    expect(judge({ symbol: 'USDC', hasPrice: false, settings })).toEqual({
      isSpam: false,
      reasons: ['impersonation', 'unlisted_unpriced'],
      decidedBy: 'owner',
    });
  });

  test('hides even a listed token', () => {
    const verdict = judgeSpam({ asset: buildAsset(), settings: buildSettings({ spam: 'spam' }), hasPrice: true });
    expect(verdict).toEqual({ isSpam: true, reasons: ['owner_says_spam'], decidedBy: 'owner' });
  });
});

test('native coins and listed tokens are never spam by rule, priced or not', () => {
  for (const chain of chains) {
    const refs = [{ ...chain.native, address: null }, ...listedTokens(chain.slug)];
    for (const { symbol, name, address } of refs) {
      const asset = buildAsset({ chain: chain.slug, address, symbol, name, listed: true });
      expect(judgeSpam({ asset, settings: buildSettings(), hasPrice: false }).isSpam).toBe(false);
    }
  }
});

test('a token that the list gained after it was stored counts as listed', () => {
  const asset = buildAsset({ listed: false });
  expect(judgeSpam({ asset, settings: buildSettings(), hasPrice: false }).reasons).toEqual([]);
});

test('the patterns have no hit in the whole curated list', () => {
  const texts = chains.flatMap(({ slug }) => listedTokens(slug).flatMap(({ symbol, name }) => [symbol, name]));
  expect(texts.length).toBeGreaterThan(2_000);
  expect(texts.filter(hasBadPattern)).toEqual([]);
});

test('any text at all is judged, and quickly', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 64 }), (text) => {
      expect(judge({ symbol: text, name: text }).decidedBy).toBe('rules');
    }),
  );
  const started = performance.now();
  for (const text of ['a.'.repeat(32), '-'.repeat(64), ' .'.repeat(32), '$1'.repeat(32)]) hasBadPattern(text);
  expect(performance.now() - started).toBeLessThan(50);
});
