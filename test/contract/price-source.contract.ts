import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PriceAnswer, PriceSource } from '../../src/adapters/price-source.ts';
import { type AssetRef, assetKey } from '../../src/domain/asset.ts';
import { formatDecimal } from '../../src/domain/decimal.ts';

/** Ways in which a quote can be bad, wherever it comes from. */
export type BadQuote = 'quote_zero' | 'quote_negative' | 'quote_absurd' | 'quote_too_old';

/** A source that quotes two assets, and the means to spoil what it quotes. */
export type PriceSourceWorld = {
  readonly source: PriceSource;
  /** The same kind of source, of a vendor that is gone. */
  readonly deadSource: PriceSource;
  /** Assets and their prices, to the last digit. The second one is native. */
  readonly quoted: readonly [
    { readonly asset: AssetRef; readonly price: string },
    { readonly asset: AssetRef; readonly price: string },
  ];
  /** An asset that the source may be asked for but does not quote. */
  readonly unquoted: AssetRef;
  /** Makes every quote bad in this way until `heal`. */
  spoil(how: BadQuote): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
};

/** What every implementation of PriceSource owes its callers. */
export function describePriceSource(name: string, setUp: () => Promise<PriceSourceWorld>): void {
  describe(`${name} as a price source`, () => {
    let world: PriceSourceWorld;
    const signal = new AbortController().signal;
    beforeAll(async () => {
      world = await setUp();
    });
    afterEach(() => world.heal());
    afterAll(() => world?.close());

    const everything = (): readonly AssetRef[] => [...world.quoted.map(({ asset }) => asset), world.unquoted];

    test('quotes to the last digit, with its name and a time', async () => {
      const answers = byAsset(await world.source.fetchPrices(everything(), signal));
      for (const { asset, price } of world.quoted) {
        const answer = answers.get(assetKey(asset));
        if (answer === undefined || !('quote' in answer)) throw new Error(`no quote for ${assetKey(asset)}`);
        expect(formatDecimal(answer.quote.value)).toBe(price);
        expect(answer.quote.source).toBe(world.source.id);
        expect(Math.abs(Date.now() - answer.quote.quotedAt.getTime())).toBeLessThan(3_600_000);
      }
    });

    test('answers once for each asset, saying of which it has no quote', async () => {
      const answers = await world.source.fetchPrices(everything(), signal);
      expect(answers.map(({ asset }) => assetKey(asset)).toSorted()).toEqual(everything().map(assetKey).toSorted());
      expect(byAsset(answers).get(assetKey(world.unquoted))).toMatchObject({
        refused: { source: world.source.id, reason: 'not_quoted' },
      });
    });

    test('asks nothing for no assets', async () => {
      expect(await world.source.fetchPrices([], signal)).toEqual([]);
    });

    test('supports the assets that it quotes, and none of a chain that it has never heard of', () => {
      expect(world.quoted.every(({ asset }) => world.source.supports(asset))).toBe(true);
      expect(world.source.supports({ chain: 'nowhere', address: null })).toBe(false);
    });

    test.each<BadQuote>(['quote_zero', 'quote_negative', 'quote_absurd', 'quote_too_old'])(
      'refuses a quote as %s',
      async (reason) => {
        await world.spoil(reason);
        const assets = world.quoted.map(({ asset }) => asset);
        const answers = await world.source.fetchPrices(assets, signal);
        const refused = { source: world.source.id, reason };
        expect(byAsset(answers)).toEqual(new Map(assets.map((asset) => [assetKey(asset), { asset, refused }])));
      },
    );

    test('reports a vendor that is gone for every asset, and never throws', async () => {
      const assets = world.quoted.map(({ asset }) => asset);
      const answers = await world.deadSource.fetchPrices(assets, signal);
      const refused = { source: world.source.id, reason: 'source_failed', detail: 'upstream_unreachable' };
      expect(byAsset(answers)).toEqual(new Map(assets.map((asset) => [assetKey(asset), { asset, refused }])));
    });

    test('stops when it is told to', async () => {
      const answers = await world.source.fetchPrices(everything(), AbortSignal.abort());
      expect(answers).toHaveLength(3);
      for (const answer of answers) expect(answer).not.toHaveProperty('quote');
    });
  });
}

/** Answers by their asset's key. */
export function byAsset(answers: readonly PriceAnswer[]): ReadonlyMap<string, PriceAnswer> {
  return new Map(answers.map((answer) => [assetKey(answer.asset), answer]));
}
