import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LedgerApi, startLedgerApi, TOKEN_ADDRESS } from '../support/ledger-api.ts';
import { addAsset, at, UNKNOWN_ID } from '../support/store-fixtures.ts';
import type { Body } from '../support/test-stack.ts';

let api: LedgerApi;
beforeAll(async () => {
  api = await startLedgerApi();
});
afterAll(() => api.database.close());
beforeEach(() => api.reset());

describe('POST /transactions', () => {
  it('adds all in the order given, priced by the word of who entered them', async () => {
    await sql`insert into fx_points values ('EUR', ${at(0)}, 0.5, 'test')`.execute(api.database.db);
    const answer = await api.add(
      api.deposit({ price: { value: '1000', currency: 'eur' }, note: 'Bought', occurred_at: '2026-11-21T13:00:20.123+01:00' }),
      {
        ...api.deposit(),
        asset_id: undefined,
        chain: 'ethereum',
        token_address: TOKEN_ADDRESS.toLowerCase(),
        type: 'fee',
        amount: '-0.000000000000000001',
      },
      {
        ...api.deposit(),
        asset_id: undefined,
        chain: 'ethereum',
        type: 'trade',
        amount: '-1.5',
        price: { value: '1', currency: 'CHF' },
      },
    );
    expect(answer.status).toBe(201);
    expect(answer.body.transactions).toMatchObject([
      {
        occurred_at: at(20).toISOString(),
        price: { value: '1000', currency: 'EUR', source: 'entry', quoted_at: null },
        usd_value: '1000',
        note: 'Bought',
        origin: 'manual',
      },
      { type: 'fee', token_symbol: 'DAI', amount_raw: '-1' },
      { type: 'trade', amount: '-1.5', usd_value: null, value_reason: 'fx_missing' },
    ]);
    expect((await api.list()).transactions).toHaveLength(3);
  });

  it('refuses what is there already and says which, and then adds none', async () => {
    expect((await api.add(api.deposit(), api.deposit({ reference: 'x' }))).status).toBe(201);
    const again = await api.add(
      api.deposit({ amount: '7' }),
      api.deposit({ amount: '0.50' }),
      api.deposit({ amount: '8', reference: 'x' }),
    );
    expect(again.body).toMatchObject({ status: 409, code: 'duplicate_transaction' });
    expect(again.body.errors.map(({ pointer }: Body) => pointer)).toEqual([
      '/body/transactions/1/reference',
      '/body/transactions/2/reference',
    ]);
    expect(again.body.errors[1].message).toContain('reference x');
    const twice = await api.add(api.deposit({ amount: '9' }), api.deposit({ amount: '9' }));
    expect(twice.body.errors[0].pointer).toBe('/body/transactions/1/reference');
    expect((await api.list()).transactions).toHaveLength(2);
  });

  it.each<[string, object, string]>([
    ['a wallet that is not there', { wallet_id: UNKNOWN_ID }, 'wallet_id'],
    ['an asset that is not there', { asset_id: 'eip155:1/slip44:61' }, 'asset_id'],
    ['an asset of a chain that is not followed', { asset_id: 'other chain' }, 'asset_id'],
    ['nothing', { amount: '0.00' }, 'amount'],
    ['less than the smallest unit', { amount: '0.0000000000000000001' }, 'amount'],
    ['more than there can be', { amount: '9'.repeat(70) }, 'amount'],
    ['a deposit below zero', { amount: '-1' }, 'amount'],
    ['a withdrawal above zero', { type: 'withdrawal' }, 'amount'],
    ['no number', { amount: '1e3' }, 'amount'],
    ['two assets', { chain: 'ethereum' }, 'asset_id'],
    ['the future', { occurred_at: at(3700).toISOString() }, 'occurred_at'],
    ['the time before chains', { occurred_at: '2008-12-31T23:59:59Z' }, 'occurred_at'],
    ['a local time', { occurred_at: '2026-11-21T12:00:00' }, 'occurred_at'],
    ['a type that is derived', { type: 'unexplained' }, 'type'],
    ['a negative price', { price: { value: '-1', currency: 'USD' } }, 'price/value'],
  ])('refuses %s', async (_, overrides, field) => {
    const elsewhere = await addAsset(api.database.db, { chain: 'base' });
    const body = JSON.parse(JSON.stringify(api.deposit(overrides)).replace('other chain', elsewhere.id));
    const answer = await api.add(api.deposit(), body);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answer.body.errors[0].pointer).toBe(`/body/transactions/1/${field}`);
    expect((await api.list()).transactions).toEqual([]);
  });
});

describe('DELETE /transactions/{id}', () => {
  it('takes away what was entered, and only that', async () => {
    const { body } = await api.add(api.deposit());
    await api.addFromChain(api.ether, 1n, 5);
    const id = body.transactions[0].id;
    expect((await api.call('DELETE', `/transactions/${id}`)).status).toBe(204);
    expect((await api.call('DELETE', `/transactions/${id}`)).body.code).toBe('transaction_not_found');
    const [left] = (await api.list()).transactions;
    expect((await api.call('DELETE', `/transactions/${left.id}`)).body).toMatchObject({
      status: 409,
      code: 'transaction_from_chain',
    });
  });
});
