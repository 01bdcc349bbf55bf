import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import type { Decimal } from '../../../src/domain/decimal.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { createPerformanceWorld, type PerformanceWorld } from './performance-world.ts';

/** Noon of a day of January 2026. */
const day = (count: number, hour = 12): Date => new Date(Date.UTC(2026, 0, count, hour));
const minutesBefore = (moment: Date, minutes: number): Date => new Date(moment.getTime() - minutes * 60_000);
const text = (figure: { readonly value: Decimal | null }): string | undefined => figure.value?.toFixed();

/**
 * The worked example. Ten tokens at 100 on day 1; the rest of it:
 *
 *   day   price   moved            held   worth   before flows   rate
 *    1     100                      10     1000
 *    2     110                      10     1100       1100       1100 / 1000 = 1.1
 *    3      99    +5 deposit        15     1485        990        990 / 1100 = 0.9
 *    4     121    -1 fee            14     1694       1694       1694 / 1485
 *    5     110    -4 withdrawal     10     1100       1540       1540 / 1694
 *
 * Time-weighted: 1.1 x 0.9 x 1694/1485 x 1540/1694 - 1 = 0.99 x 1540/1485 - 1 = 0.026666...
 * Flows: 5 x 99 = 495 in, 4 x 110 = 440 out; gain: 1100 - 1000 - 495 + 440 = 45.
 * Modified Dietz: 45 / (1000 + 495 x 2/4) = 45 / 1247.5. ROI: 1100 / 1000 - 1 = 0.1.
 */
describe('the worked example', () => {
  let world: PerformanceWorld;
  let wallet: Wallet;
  let token: Asset;

  beforeAll(async () => {
    world = await createPerformanceWorld();
    const { enter, hold, quote, rate, take } = world;
    world.setClock(day(1));
    wallet = await world.follow();
    token = await world.addAsset();
    const move = async (count: number, price: string, held: bigint): Promise<void> => {
      world.setClock(day(count));
      await hold(wallet, [[token, held]]);
      await quote(token, price);
      await take(day(count));
    };
    await world.db
      .updateTable('wallets')
      .set({ created_at: day(1, 0) } as never)
      .execute();
    await rate('BTC', '0.00002', minutesBefore(day(1), 5));
    await rate('ETH', '0.0004', minutesBefore(day(1), 5));
    await rate('EUR', '0.8', minutesBefore(day(1), 5));
    await move(1, '100', 1000n);
    await move(2, '110', 1000n);
    await enter({ wallet, asset: token, kind: 'deposit', amountRaw: 500n, at: day(3, 9), price: ['90', 'USD'] });
    await rate('BTC', '0.000016', minutesBefore(day(3), 5));
    await rate('ETH', '0.0005', minutesBefore(day(3), 5));
    await move(3, '99', 1500n);
    await enter({ wallet, asset: token, kind: 'fee', amountRaw: -100n, at: day(4, 9) });
    await move(4, '121', 1400n);
    await enter({ wallet, asset: token, kind: 'withdrawal', amountRaw: -400n, at: day(5, 9) });
    await rate('BTC', '0.00002', minutesBefore(day(5), 5));
    await rate('ETH', '0.00025', minutesBefore(day(5), 5));
    await rate('EUR', '1', minutesBefore(day(5), 5));
    await move(5, '110', 1000n);
  });
  afterAll(() => world.close());

  it('has the returns that the arithmetic gives', async () => {
    const found = await world.measure();
    expect(found).toMatchObject({ startsAt: day(1), endsAt: day(5), days: 4, incompleteReasons: [], period: 'all' });
    expect([found.startValue, found.endValue, found.gain].map((value) => value?.toFixed())).toEqual(['1000', '1100', '45']);
    const { timeWeighted, modifiedDietz, simple, moneyWeighted, timeWeightedAnnual } = found.returns;
    expect(timeWeighted.value).toBeCloseTo(0.99 * (1540 / 1485) - 1, 14);
    expect(modifiedDietz.value).toBeCloseTo(45 / 1247.5, 14);
    expect(simple.value).toBeCloseTo(0.1, 14);
    // -1000, -495 two days later and 1540 in the end fit together at this rate over the four days.
    const growth = 1 + (moneyWeighted.value ?? 0);
    expect(1000 * growth + 495 * Math.sqrt(growth)).toBeCloseTo(1540, 9);
    expect(timeWeightedAnnual).toEqual({ value: null, reason: 'less_than_a_year' });
  });

  it('tells the flows, and what was paid to the chain', async () => {
    const { flows } = await world.measure();
    const shown = Object.fromEntries(Object.entries(flows).map(([name, value]) => [name, Number(value)]));
    expect(shown).toEqual({
      ...{ in: 495, out: 440, count: 2, deposits: 495, withdrawals: -440, fees: 121 },
      ...{ unexplained: 0, opening: 0, inTransit: 0, trades: 0, revalued: 0, income: 0, unpricedCount: 0 },
    });
  });

  it('tells risk by the days, and the deepest fall with its dates', async () => {
    const { risk } = await world.measure();
    // 1, 1.1, 0.99, 1.1293..., 1.0266...: from 1.1 to 0.99.
    expect(risk).toMatchObject({
      days: 4,
      maxDrawdown: { value: { peakAt: day(2), troughAt: day(3), recoveredAt: day(4) } },
      calmar: { value: null, reason: 'less_than_a_year' },
      bestDay: { value: { day: day(4, 0) } },
      worstDay: { value: { day: day(3, 0) } },
    });
    expect(risk.maxDrawdown.value?.depth).toBeCloseTo(-0.1, 14);
    const rates = [0.1, -0.1, 1694 / 1485 - 1, 1540 / 1694 - 1];
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / 4;
    const deviation = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / 3);
    expect(risk.volatility.value).toBeCloseTo(deviation * Math.sqrt(365), 12);
    expect(risk.sharpe.value).toBeCloseTo((mean / deviation) * Math.sqrt(365), 12);
    const fallen = Math.sqrt((rates.reduce((sum, rate) => sum + Math.min(rate, 0) ** 2, 0) / 4) * 365);
    expect(risk.sortino.value).toBeCloseTo((mean * 365) / fallen, 12);
    const costly = await world.measure({ riskFreePerYear: 0.05 });
    expect(costly.risk.sharpe.value).toBeCloseTo(((mean - (1.05 ** (1 / 365) - 1)) / deviation) * Math.sqrt(365), 12);
  });

  // First out: 1 for nothing and 4 at 110. The five of day 3 cost 90 each by the owner's word, so that 90 are gained in sum, 5 x 9 more than by the price of that snapshot.
  it.each([
    // fifo: all five at 100: -100 + 40; left 5 x 100 + 5 x 90.
    ['fifo', '-60', '950'],
    // lifo: all five at 90: -90 + 80; left 10 x 100.
    ['lifo', '-10', '1000'],
    // hifo: the dear ones, at 100.
    ['hifo', '-60', '950'],
    // average: 1450 / 15 each: -1450/15 + 440 - 4 x 1450/15; left 10 of 15.
    ['average', '-43.3333', '966.6667'],
  ] as const)('tells profit and loss by %s', async (costBasis, realised, cost) => {
    const { pnl } = await world.measure({ costBasis });
    const [asset] = pnl.assets;
    expect(pnl.assets).toHaveLength(1);
    expect(asset?.asset.id).toBe(token.id);
    expect([asset?.realised, asset?.cost.value].map((value) => value?.dp(4).toFixed())).toEqual([realised, cost]);
    expect([pnl.gain.dp(20).toFixed(), pnl.fees.toFixed(), pnl.currencyEffect.toFixed()]).toEqual(['90', '121', '0']);
  });

  it('keeps what a currency did apart', async () => {
    const { pnl, returns } = await world.measure({ currency: 'EUR' });
    // Bought: 10 x 80 euro, 5 x 90 x 0.8 = 360; sold at 110 euro: 4 x 110 - 4 x 80, 1 for nothing: -80. Left: 5 x 80 + 5 x 72 = 760, worth 1100.
    expect([pnl.realised, pnl.unrealised, pnl.gain].map((value) => value.toFixed())).toEqual(['40', '340', '380']);
    // In dollars 90, at today's one to one; the rest is the dollar's.
    expect([pnl.gainWithoutCurrency.toFixed(), pnl.currencyEffect.toFixed()]).toEqual(['90', '290']);
    // The euro's fall against the dollar on the last day: 0.8 to 1.
    expect(returns.timeWeighted.value).toBeCloseTo((0.99 * (1540 / 1485)) / 0.8 - 1, 14);
  });

  it('feeds a basket the same flows', async () => {
    // 500 each buy 0.01 BTC at 50,000 and 0.2 ETH at 2,500. Day 3: 62,500 and 2,000: 625 + 400 = 1,025; 495 buy 0.00396 and 0.12375.
    // Day 5: 0.01396 x 50,000 + 0.32375 x 4,000 = 698 + 1,295 = 1,993; 440 are taken out: 1,553. Rate: 1.025 x 1993/1520 - 1.
    const { benchmark, returns } = await world.measure({ benchmark: 'btc:50,eth:50' });
    expect(benchmark).toMatchObject({ startsAt: day(1), exhaustedAt: null, unpricedParts: [] });
    expect(text(benchmark?.endValue ?? { value: null })).toBe('1553');
    expect(text(benchmark?.valueDifference ?? { value: null })).toBe('-453');
    const rate = 1.025 * (1993 / 1520) - 1;
    expect(benchmark?.timeWeighted.value).toBeCloseTo(rate, 13);
    expect(benchmark?.rateDifference.value).toBeCloseTo((returns.timeWeighted.value ?? 0) - rate, 13);
  });

  it('compares with dollars and with an asset, and refuses what is no basket', async () => {
    const own = await world.measure({ benchmark: `usd:25,${token.id}:75` });
    expect(own.benchmark?.timeWeighted.reason).toBeNull();
    const dollars = await world.measure({ benchmark: 'usd:100' });
    expect(text(dollars.benchmark?.endValue ?? { value: null })).toBe('1055');
    const unknown = await world.measure({ benchmark: 'btc:50,xyz:50' });
    expect(unknown.benchmark).toMatchObject({ unpricedParts: ['xyz'], endValue: { value: null, reason: 'basket_unpriced' } });
    await expect(world.measure({ benchmark: 'btc:50,eth:40' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(world.measure({ benchmark: 'eip155:1/erc20:0x12:100' })).rejects.toMatchObject({ code: 'asset_not_found' });
  });

  it('links to the same rate wherever the period is split', async () => {
    const { returns } = await world.measure();
    for (const cut of [2, 3, 4]) {
      const [before, after] = [await world.measure({ to: day(cut) }), await world.measure({ from: day(cut) })];
      const linked = (1 + (before.returns.timeWeighted.value ?? 0)) * (1 + (after.returns.timeWeighted.value ?? 0));
      expect(linked - 1).toBeCloseTo(returns.timeWeighted.value ?? 0, 13);
      expect(before.gain?.plus(after.gain ?? 0).toFixed()).toBe('45');
      const sides = [before.pnl.realised, after.pnl.realised];
      expect(sides[0]?.plus(sides[1] ?? 0).toFixed()).toBe('-60');
    }
  });

  it('tells what lies where', async () => {
    const { allocation } = await world.measure();
    expect(allocation.byWallet).toMatchObject([{ key: wallet.id }]);
    expect(allocation.byWallet[0]?.value.toFixed()).toBe('1100');
    expect(allocation.byChain[0]?.key).toBe('ethereum');
    expect(allocation.byAsset[0]?.share?.toFixed()).toBe('1');
    expect(allocation.concentration?.index.toFixed()).toBe('1');
    expect((await world.measure({ chains: ['base'] })).endValue?.toFixed()).toBe('0');
    await expect(world.measure({ chains: ['nowhere'] })).rejects.toMatchObject({ code: 'unknown_chain' });
  });

  it('counts periods back by the calendar', async () => {
    expect((await world.measure({ period: '1d' })).startsAt).toEqual(day(4));
    const year = await world.measure({ period: 'ytd', timeZone: 'Pacific/Apia' });
    expect(year).toMatchObject({ from: new Date('2025-12-31T11:00:00Z'), startsAt: day(1), incompleteReasons: ['starts_later'] });
  });
});
