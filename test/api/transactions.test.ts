import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createSnapshotStore } from '../../src/db/history/snapshot-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { type LedgerApi, startLedgerApi, TOKEN_ADDRESS } from '../support/ledger-api.ts';
import { at } from '../support/store-fixtures.ts';
import type { Body } from '../support/test-stack.ts';

let api: LedgerApi;
beforeAll(async () => {
  api = await startLedgerApi();
});
afterAll(() => api.database.close());
beforeEach(() => api.reset());

const show = ({ type, amount, derived }: Body): string => `${type} ${amount}${derived ? ' derived' : ''}`;

describe('GET /transactions', () => {
  it('tells what moved, what it was worth then, and what no entry explains', async () => {
    await api.quote(api.ether, 0, '2000');
    await api.quote(api.ether, 50, '3000');
    await api.hold(api.ether, 10n ** 18n, 0);
    await api.hold(api.ether, 3n * 10n ** 18n, 100);
    await api.addFromChain(api.ether, 25n * 10n ** 17n, 60);
    await api.addFromChain(api.ether, -(10n ** 15n), 61, { kind: 'fee', counterparty: null });
    await api.addFromChain(api.token, 5n, 70);

    const page = await api.list();

    expect(page.transactions.map(show)).toEqual([
      'unexplained -0.499 derived',
      'deposit 0.000000000000000005',
      'fee -0.001',
      'deposit 2.5',
      'opening 1 derived',
    ]);
    const [unexplained, ofToken, , arrived] = page.transactions;
    expect(unexplained).toMatchObject({ id: null, origin: null, occurred_at: at(100).toISOString(), usd_value: '-1497' });
    expect(ofToken).toMatchObject({ token_symbol: 'DAI', price: null, usd_value: null, value_reason: 'price_missing' });
    expect(arrived).toMatchObject({
      origin: 'chain',
      wallet_id: api.wallet().id,
      asset_id: 'eip155:1/slip44:60',
      amount_raw: '2500000000000000000',
      price: { value: '3000', currency: 'USD', source: 'defillama', quoted_at: at(50).toISOString() },
      usd_value: '7500',
      value_reason: null,
      counterparty: '0x00000000000000000000000000000000000000FF',
      tx_hash: '0x60',
      block: 1060,
    });
  });

  it('walks all pages in one order, entries and what is derived together', async () => {
    for (const step of [1, 2, 3, 4, 5]) {
      await api.addFromChain(api.ether, BigInt(step), step * 100 - 50);
      await api.hold(api.ether, BigInt(step * 10), step * 100);
      await api.addFromChain(api.token, BigInt(step), step * 100);
    }
    const whole = await api.list('?limit=100');
    expect(whole.transactions.length).toBe(15);
    const seen: Body[] = [];
    for (let path = '?limit=2'; ; ) {
      const page = await api.list(path);
      expect(page.transactions.length).toBeLessThanOrEqual(2);
      seen.push(...page.transactions);
      if (page.next_cursor === null) break;
      path = `?limit=2&cursor=${page.next_cursor}`;
    }
    expect(seen).toEqual(whole.transactions);
    const { next_cursor: cursor } = await api.list('?limit=1');
    const other = await api.call('GET', `/transactions?limit=1&type=fee&cursor=${cursor}`);
    expect(other.body.errors[0].pointer).toBe('/query/cursor');
  });

  it('keeps to what is asked for', async () => {
    await api.hold(api.ether, 5n, 0);
    await api.addFromChain(api.ether, 1n, 20);
    await api.addFromChain(api.token, -2n, 30);
    await api.add(api.deposit({ occurred_at: at(40).toISOString(), amount: '3' }));
    await api.hold(api.ether, 7n, 100);
    const types = async (query: string): Promise<string[]> => (await api.list(query)).transactions.map(({ type }: Body) => type);
    expect(await types('?type=withdrawal')).toEqual(['withdrawal']);
    expect(await types('?type=unexplained,opening')).toEqual(['unexplained', 'opening']);
    expect(await types('?origin=manual')).toEqual(['deposit']);
    expect(await types('?origin=chain&type=deposit')).toEqual(['deposit']);
    expect(await types(`?asset_id=${encodeURIComponent(`eip155:1/erc20:${TOKEN_ADDRESS}`)}`)).toEqual(['withdrawal']);
    expect(await types(`?asset_id=${api.token.id}&wallet_id=${api.wallet().id}&chain=ethereum`)).toEqual(['withdrawal']);
    expect(await types('?chain=base')).toEqual([]);
    expect(await types(`?from=${at(20).toISOString()}&to=${at(30).toISOString()}`)).toEqual(['deposit']);
    expect(await types(`?from=${at(100).toISOString()}`)).toEqual(['unexplained']);
    expect(await types(`?to=${at(100).toISOString()}`)).not.toContain('unexplained');
    expect(await types('?from=2026-11-21&to=2026-11-22&tz=Asia/Kathmandu&type=opening')).toEqual(['opening']);
    expect(await types('?to=2026-11-21&tz=Asia/Kathmandu')).toEqual([]);
  });

  it.each([
    ['wallet_id=0198b000-0000-7000-8000-00000000dead', 404, 'wallet_not_found'],
    ['asset_id=eip155:1/slip44:61', 404, 'asset_not_found'],
    ['chain=nowhere', 400, 'unknown_chain'],
    ['type=gift', 400, 'invalid_request'],
    ['from=yesterday', 400, 'invalid_request'],
    ['tz=Mars', 400, 'invalid_request'],
    ['limit=101', 400, 'invalid_request'],
    ['cursor=bm9uc2Vuc2U', 400, 'invalid_request'],
  ])('refuses ?%s', async (query, status, code) => {
    expect((await api.call('GET', `/transactions?${query}`)).body).toMatchObject({ status, code });
  });

  it('still tells what moved in a wallet that is followed no more', async () => {
    const { id } = api.wallet();
    await api.hold(api.ether, 5n, 0);
    await createWalletStore(api.database.tenants).delete(TENANT, id);
    await createSnapshotStore(api.database.tenants).take(TENANT, {
      at: at(50),
      grade: 'full',
      missing: [],
      excludedAssetIds: [],
    });
    const page = await api.list(`?wallet_id=${id}`);
    expect(page).toMatchObject({ complete: true, imports: [] });
    expect(page.transactions.map(({ type, amount_raw: raw }: Body) => `${type} ${raw}`)).toEqual(['unexplained -5', 'opening 5']);
  });

  it('says how far the chains were read', async () => {
    const reach = async (): Promise<Body> => (await api.list()).imports;
    expect(await api.list()).toMatchObject({ complete: false });
    expect(await reach()).toMatchObject([
      { wallet_id: api.wallet().id, chain: 'ethereum', complete: false, from_block: null, outcome: null, age_seconds: null },
    ]);
    await api.database.db
      .insertInto('transfer_imports')
      .values({
        ...{
          tenant_id: TENANT,
          wallet_id: api.wallet().id,
          chain: 'ethereum',
          from_block: '7',
          through_block: '9',
          has_native: true,
        },
        ...{ attempted_at: at(3590), outcome: 'ok' },
      })
      .execute();
    expect(await api.list()).toMatchObject({ complete: true });
    expect(await reach()).toMatchObject([{ complete: true, from_block: 7, through_block: 9, outcome: 'ok', age_seconds: 10 }]);
    const failed = { outcome: 'failed', error_code: 'upstream_timeout', error_provider: 'rpc.example' } as const;
    await api.database.db.updateTable('transfer_imports').set(failed).execute();
    expect(await reach()).toMatchObject([{ complete: false, error: { code: 'upstream_timeout', provider: 'rpc.example' } }]);
  });

  it('says of what is unexplained whether transfers were not read so far yet', async () => {
    await api.hold(api.ether, 10n, 0);
    await api.hold(api.ether, 15n, 100);
    await api.hold(api.ether, 35n, 200);
    const place = { tenant_id: TENANT, wallet_id: api.wallet().id, chain: 'ethereum', from_block: '1001' };
    await api.database.db.insertInto('transfer_imports').values(place).execute();
    const readThrough = (second: number): Promise<unknown> =>
      api.database.db
        .updateTable('transfer_imports')
        .set({ through_block: String(1000 + second) })
        .execute();
    const pending = async (): Promise<readonly string[]> =>
      (await api.list()).transactions.map((row: Body) => `${row.type} ${row.pending}`);
    // Amounts of a second are those of its block.
    await readThrough(100);
    expect(await pending()).toEqual(['unexplained true', 'unexplained false', 'opening false']);
    const csv = await api.call('GET', '/transactions?type=unexplained', { headers: { Accept: 'text/csv' } });
    const [header, ...rows] = String(csv.body).trim().split('\r\n');
    const column = header?.split(',').indexOf('pending') ?? -1;
    expect(rows.map((row) => row.split(',')[column])).toEqual(['true', 'false']);
    await readThrough(200);
    expect(await pending()).toEqual(['unexplained false', 'unexplained false', 'opening false']);
    await api.database.db.updateTable('transfer_imports').set({ outcome: 'unsupported', through_block: null }).execute();
    expect(await pending()).toEqual(['unexplained false', 'unexplained false', 'opening false']);
  });

  it('is to be had as a table, whose cells no spreadsheet runs', async () => {
    await api.add(
      api.deposit({ note: '=HYPERLINK("http://x")' }),
      api.deposit({ type: 'withdrawal', amount: '-0.25', reference: 'a' }),
    );
    const { text, body } = await api.call('GET', '/transactions?limit=1', { headers: { Accept: 'text/csv' } });
    const [header, row, end] = (text ?? String(body)).split('\r\n');
    expect(header?.split(',').slice(0, 3)).toEqual(['occurred_at', 'type', 'derived']);
    expect(row).toContain(
      `${at(10).toISOString()},withdrawal,false,manual,${api.wallet().id},ethereum,ETH,,eip155:1/slip44:60,-0.25,`,
    );
    const cursor = row?.split(',').at(-1);
    expect(end).toBe('');
    const next = await api.call('GET', `/transactions?limit=1&cursor=${cursor}`, { headers: { Accept: 'text/csv' } });
    expect(String(next.body)).toContain(`"'=HYPERLINK(""http://x"")"`);
  });
});
