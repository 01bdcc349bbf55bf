import { describe, expect, it } from 'vitest';
import type { AssetSettings } from '../../src/domain/asset.ts';
import type { ValuedHolding } from '../../src/domain/portfolio.ts';
import { quarantineDominating } from '../../src/domain/quarantine.ts';
import { valueHolding } from '../../src/domain/valuation.ts';
import { buildAsset, buildContext, buildHolding, buildPrice, buildSettings, FRESH, NOW } from '../support/builders.ts';

function unlisted(id: string, dollars: bigint, context = buildContext()): ValuedHolding {
  const asset = buildAsset({ id, listed: false });
  return valueHolding(buildHolding({ asset, amountRaw: dollars * 1_000_000n }), context, FRESH);
}

const listed = (dollars: bigint): ValuedHolding =>
  valueHolding(buildHolding({ amountRaw: dollars * 1_000_000n }), buildContext(), FRESH);

const statuses = (holdings: readonly ValuedHolding[], settings: AssetSettings = buildSettings()): string[] =>
  quarantineDominating(holdings, () => settings).map((valued) => valued.price.status);

describe('quarantineDominating', () => {
  it('holds back an unlisted asset that claims more than all the rest', () => {
    const [, scam] = quarantineDominating([listed(100n), unlisted('scam', 101n)], () => buildSettings());
    expect(scam).toMatchObject({
      usdValue: null,
      valueReason: 'price_quarantined',
      price: { status: 'quarantined', reason: 'unlisted_dominates' },
    });
    expect(scam?.price.value?.toFixed()).toBe('1');
  });

  it('lets a smaller one count', () => {
    expect(statuses([listed(100n), unlisted('small', 100n)])).toEqual(['ok', 'ok']);
  });

  it('adds an asset up over all wallets before it compares', () => {
    expect(statuses([listed(100n), unlisted('scam', 60n), unlisted('scam', 60n)])).toEqual(['ok', 'quarantined', 'quarantined']);
  });

  it('does not let two unlisted assets vouch for each other', () => {
    expect(statuses([listed(1n), unlisted('a', 1000n), unlisted('b', 900n)])).toEqual(['ok', 'quarantined', 'quarantined']);
  });

  it('trusts a price that the owner accepted or set', () => {
    const accepted = buildSettings({ acceptedPrice: { value: '1', acceptedAt: NOW } });
    expect(statuses([listed(1n), unlisted('a', 1000n)], accepted)).toEqual(['ok', 'ok']);
    const manual = buildContext({ price: buildPrice({ status: 'manual' }) });
    expect(statuses([listed(1n), unlisted('a', 1000n, manual)])).toEqual(['ok', 'manual']);
  });
});
