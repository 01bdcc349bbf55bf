import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { type AlertWorld, createAlertWorld } from './alert-world.ts';

let world: AlertWorld;
let wallet: Wallet;
let coin: Asset;
beforeAll(async () => {
  world = await createAlertWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.clear();
  wallet = await world.follow();
  coin = await world.addAsset('COIN');
  await world.quote(coin, '2');
  await world.hold(wallet, [[coin, 50n]]);
});

const NEVER = new AbortController().signal;
const types = async () => (await world.told()).map(({ type }) => type);

describe('the value', () => {
  it('is told of when it crosses the line and when it is back over the hysteresis, each once', async () => {
    const id = await world.addRule({ name: 'rich', threshold: new Decimal(100), hysteresis: new Decimal('0.1') });
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: false, value: new Decimal(100), unknownReasons: [] });
    await world.hold(wallet, [[coin, 51n]]);
    await world.evaluate();
    await world.evaluate();
    expect(await world.told()).toEqual([
      {
        type: 'alert.triggered',
        data: {
          alert_id: id,
          name: 'rich',
          kind: 'value',
          wallet_id: null,
          asset_id: null,
          currency: 'USD',
          direction: 'above',
          threshold: '100',
          value: '102',
        },
      },
    ]);
    await world.hold(wallet, [[coin, 46n]]);
    await world.evaluate();
    expect((await world.stateOf(id)).isTriggered).toBe(true);
    await world.quote(coin, '1.8');
    await world.evaluate();
    expect(await types()).toEqual(['alert.triggered', 'alert.resolved']);
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: false, resolvedAt: expect.any(Date) });
  });

  it('of one wallet, in a currency, is its own', async () => {
    const other = await world.follow();
    await world.hold(other, [[coin, 1_000n]]);
    await world.rate('EUR', '0.5');
    const id = await world.addRule({ walletId: wallet.id, currency: 'EUR', direction: 'below', threshold: new Decimal(51) });
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: true, value: new Decimal(50) });
  });

  it('that is not known for certain sets nothing off, ends nothing, and says why', async () => {
    const id = await world.addRule({ threshold: new Decimal(99) });
    const below = await world.addRule({ direction: 'below', threshold: new Decimal(1_000_000) });
    const fx = await world.addRule({ currency: 'XYZ', threshold: new Decimal(1) });
    await world.fail(wallet);
    await world.evaluate();
    for (const one of [id, below])
      expect(await world.stateOf(one)).toMatchObject({ isTriggered: false, unknownReasons: ['source_stale'] });
    expect(await world.stateOf(fx)).toMatchObject({ value: null, unknownReasons: ['fx_missing', 'source_stale'] });
    await world.hold(wallet, [[coin, 50n]]);
    await world.evaluate();
    expect(await types()).toEqual(['alert.triggered', 'alert.triggered']);
    await world.hold(wallet, [[coin, 1n]]);
    await world.fail(wallet);
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: true, unknownReasons: ['source_stale'] });
  });

  it('is not that of nothing where no wallet is followed', async () => {
    await sql`delete from wallets`.execute(world.db);
    const id = await world.addRule({ direction: 'below', threshold: new Decimal(1) });
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: false, value: null, unknownReasons: ['nothing_held'] });
  });
});

describe('other figures', () => {
  it('a share of the total is told of, also of what is not held', async () => {
    const other = await world.addAsset('OTHER');
    await world.quote(other, '1');
    await world.hold(wallet, [
      [coin, 50n],
      [other, 300n],
    ]);
    const large = await world.addRule({ kind: 'share', currency: null, assetId: coin.id, threshold: new Decimal('0.2') });
    const none = await world.addAsset('NONE');
    const small = await world.addRule({
      kind: 'share',
      currency: null,
      assetId: none.id,
      direction: 'below',
      threshold: new Decimal('0.01'),
    });
    await world.evaluate();
    expect(await world.stateOf(large)).toMatchObject({ isTriggered: true, value: new Decimal('0.25') });
    expect(await world.stateOf(small)).toMatchObject({ isTriggered: true, value: new Decimal(0) });
    expect((await world.told())[0]?.data.asset_id).toBe(`eip155:1/erc20:${coin.address}`);
  });

  it('a price is told of in its currency, and a stale one never', async () => {
    await world.rate('EUR', '0.9');
    const id = await world.addRule({ kind: 'price', assetId: coin.id, currency: 'EUR', threshold: new Decimal('1.79') });
    await world.quote(coin, '2', 7 * 86_400);
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: false, unknownReasons: ['price_stale'] });
    await world.quote(coin, '2');
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: true, value: new Decimal('1.8') });
  });

  it('sources that were not read for too long are told of, though nothing changes', async () => {
    const id = await world.addRule({ kind: 'staleness', currency: null, threshold: new Decimal(600) });
    await world.evaluate();
    expect((await world.stateOf(id)).isTriggered).toBe(false);
    await sql`update sources set observed_at = observed_at - interval '11 minutes'`.execute(world.db);
    await world.evaluate();
    expect(await types()).toEqual([]);
    // Nothing was written down, but half a minute has gone by.
    await sql`update alerts set evaluated_at = evaluated_at - interval '30 seconds'`.execute(world.db);
    await world.evaluate();
    expect(await types()).toEqual(['alert.triggered']);
    await world.hold(wallet, [[coin, 50n]]);
    await world.evaluate();
    expect(await types()).toEqual(['alert.triggered', 'alert.resolved']);
  });

  it('a wallet that was never read is a reason to wait, not a source that is old', async () => {
    const id = await world.addRule({ kind: 'staleness', currency: null, threshold: new Decimal(600) });
    const fresh = await world.follow();
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: false, unknownReasons: ['source_never_read'] });
    await world.hold(fresh, [[coin, 1n]], 700);
    await world.evaluate();
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: true, unknownReasons: [] });
  });
});

describe('two workers', () => {
  it('tell of each crossing once, however they meet', async () => {
    await world.addRule({ threshold: new Decimal(100), hysteresis: new Decimal('0.1') });
    const workers = [world.addWorker(), world.addWorker(), world.addWorker()];
    for (let round = 0; round < 6; round++) {
      await world.hold(wallet, [[coin, round % 2 === 0 ? 60n : 40n]]);
      await Promise.all(workers.map((worker) => worker.evaluateDue(NEVER)));
      await world.evaluate();
    }
    expect(await types()).toEqual(Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? 'alert.triggered' : 'alert.resolved')));
  });

  it('never go back to what one of them saw before', async () => {
    const id = await world.addRule({ threshold: new Decimal(100) });
    const reading = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const slow = world.addWorker({
      portfolio: {
        async getPortfolio(...query) {
          const seen = await world.portfolio.getPortfolio(...query);
          reading.resolve();
          await going.promise;
          return seen;
        },
      },
    });
    const late = slow.evaluateDue(NEVER);
    await reading.promise;
    await world.hold(wallet, [[coin, 51n]]);
    await world.evaluate();
    going.resolve();
    await late;
    expect(await world.stateOf(id)).toMatchObject({ isTriggered: true, value: new Decimal(102) });
    expect(await types()).toEqual(['alert.triggered']);
  });
});

describe('an alert', () => {
  it('that is switched off is not looked at, and one whose rule changes is looked at anew', async () => {
    const id = await world.addRule({ threshold: new Decimal(99), cooldownSeconds: 3600 });
    await world.alerts.update(TENANT, id, { isEnabled: false });
    await world.evaluate();
    expect((await world.stateOf(id)).evaluatedAt).toBeNull();
    await world.alerts.update(TENANT, id, { isEnabled: true });
    await world.evaluate();
    await world.alerts.update(TENANT, id, { threshold: new Decimal(101) });
    await world.evaluate();
    await world.alerts.update(TENANT, id, { threshold: new Decimal(99) });
    await world.evaluate();
    // The last one falls within the cooldown.
    expect(await types()).toEqual(['alert.triggered', 'alert.resolved']);
    await world.alerts.update(TENANT, id, { cooldownSeconds: 0 });
    await world.evaluate();
    expect(await types()).toEqual(['alert.triggered', 'alert.resolved', 'alert.triggered']);
  });

  it('goes with its wallet, and is not made for one that is not there', async () => {
    const id = await world.addRule({ walletId: wallet.id });
    await sql`delete from wallets`.execute(world.db);
    await expect(world.stateOf(id)).rejects.toMatchObject({ code: 'alert_not_found' });
    await expect(world.addRule({ walletId: wallet.id })).rejects.toMatchObject({ code: 'wallet_not_found' });
  });

  it('is one of a hundred at the most', async () => {
    await Promise.all(Array.from({ length: 99 }, () => world.addRule({})));
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => world.addRule({})));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(world.addRule({})).rejects.toMatchObject({ code: 'quota_exceeded' });
  });
});
