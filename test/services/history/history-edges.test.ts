import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { at } from '../../support/store-fixtures.ts';
import { createChartWorld } from './chart-world.ts';

type Amounts = readonly (readonly [Asset, bigint])[];

const hour = (hours: number): Date => at(hours * 3600);

describe('what was held back when it was last held', () => {
  it('stays out of the past when it is gone, unless the owner says otherwise', async () => {
    const other = await createChartWorld();
    const wallet = await other.follow();
    const [honest, moon] = [await other.addAsset(), await other.addAsset({ listed: false })];
    await other.quote(honest, '1');
    await other.quote(moon, '1000000');
    const ofBoth = (amountRaw: bigint): Amounts => [
      [honest, 100n],
      [moon, amountRaw],
    ];
    await other.hold(wallet, ofBoth(100n));
    await other.take(hour(0));
    other.setClock(hour(1));
    await other.hold(wallet, ofBoth(0n));
    await other.take(hour(1));
    await other.take(hour(1.1));
    const readBoth = async (): Promise<readonly (string | undefined)[]> =>
      (await other.read({ from: hour(0), step: '1h' })).points.map(({ value }) => value?.toFixed());
    expect(await readBoth()).toEqual(['1', '1']);
    await other.stores.assets.updateSettings(TENANT, moon.id, { acceptedPrice: '1000000' });
    expect(await readBoth()).toEqual(['1000001', '1']);
    await other.close();
  });
});

describe('more points than anybody can look at', () => {
  it('are refused', async () => {
    const other = await createChartWorld();
    const wallet = await other.follow();
    await other.hold(wallet, []);
    for (const hours of [0, 1]) await other.take(hour(hours));
    await sql`
      with many as (
        insert into assets (chain, address, standard, listed) select 'ethereum', 'many ' || n, 'erc20', true from generate_series(1, 20001) as n returning id
      ), held as (
        insert into holding_series (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
        select ${TENANT}, ${wallet.id}, id, 'wallet', 'ethereum', 1 from many
      )
      insert into asset_hours (tenant_id, bucket, asset_id, amount_raw)
      select tenant_id, bucket, id, 1 from snapshot_hours cross join many`.execute(other.db);
    const query = { from: hour(0), to: hour(1), step: '1h', series: 'asset' } as const;
    await expect(other.read(query)).rejects.toMatchObject({ code: 'invalid_request' });
    await other.close();
  });
});
