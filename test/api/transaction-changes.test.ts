import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LedgerApi, startLedgerApi } from '../support/ledger-api.ts';
import { at, UNKNOWN_ID } from '../support/store-fixtures.ts';
import type { Body } from '../support/test-stack.ts';

let api: LedgerApi;
beforeAll(async () => {
  api = await startLedgerApi();
});
afterAll(() => api.database.close());
beforeEach(() => api.reset());

async function add(overrides: object = {}): Promise<Body> {
  const { status, body } = await api.add(api.deposit(overrides));
  expect(status).toBe(201);
  return body.transactions[0];
}

const read = (id: string) => api.call('GET', `/transactions/${id}`);
const patch = (id: string, body: object, tag?: string) =>
  api.call('PATCH', `/transactions/${id}`, { body, headers: tag === undefined ? {} : { 'If-Match': tag } });

describe('PATCH /transactions/{id}', () => {
  it('changes what is named and keeps the rest', async () => {
    const added = await add({ note: 'Bought', price: { value: '1000', currency: 'usd' } });
    const later = at(20).toISOString();
    expect((await patch(added.id, { note: 'Bought again' })).body).toEqual({ ...added, note: 'Bought again' });
    expect((await patch(added.id, { occurred_at: later })).body).toEqual({ ...added, note: 'Bought again', occurred_at: later });
    const priced = await patch(added.id, { price: { value: '0.5', currency: 'usd' }, note: null });
    expect(priced.body).toMatchObject({
      occurred_at: later,
      note: null,
      price: { value: '0.5', currency: 'USD' },
      usd_value: '0.25',
    });
    expect((await patch(added.id, { price: null })).body).toMatchObject({ price: null, usd_value: null });
    expect((await read(added.id)).body).toMatchObject({ amount: added.amount, price: null });
    expect((await api.list()).transactions[0]).toEqual((await read(added.id)).body);
  });

  it('takes the tag that was read, once', async () => {
    const { id } = await add();
    const { etag = '' } = (await read(id)).headers;
    const racers = await Promise.all(Array.from({ length: 10 }, (_, racer) => patch(id, { note: `racer ${racer}` }, etag)));
    const won = racers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(racers.filter(({ body }) => body.code === 'precondition_failed')).toHaveLength(9);
    const now = await read(id);
    expect([now.body.note, now.headers.etag]).toEqual([won[0]?.body.note, won[0]?.headers.etag]);
    const remove = (tag: string) => api.call('DELETE', `/transactions/${id}`, { headers: { 'If-Match': tag } });
    expect((await remove(etag)).status).toBe(412);
    expect((await remove(now.headers.etag ?? '')).status).toBe(204);
    expect((await patch(id, { note: 'late' }, now.headers.etag)).body.code).toBe('transaction_not_found');
  });

  it('makes room for what it was, and none for what it is', async () => {
    const { id } = await add();
    await patch(id, { occurred_at: at(20).toISOString() });
    expect((await api.add(api.deposit({ occurred_at: at(20).toISOString() }))).body.code).toBe('duplicate_transaction');
    const second = await add();
    const clash = await patch(second.id, { occurred_at: at(20).toISOString() });
    expect([clash.status, clash.body.code]).toEqual([409, 'duplicate_transaction']);
    expect((await read(second.id)).body).toEqual(second);
  });

  it('leaves a reference of your own as it is', async () => {
    const { id } = await add({ reference: 'mine' });
    await patch(id, { occurred_at: at(20).toISOString() });
    expect((await api.add(api.deposit({ reference: 'mine', amount: '7' }))).body.code).toBe('duplicate_transaction');
  });

  it.each<[string, object, string]>([
    ['nothing', {}, '/body'],
    ['another field', { amount: '1' }, '/body/amount'],
    ['a price below zero', { price: { value: '-1', currency: 'USD' } }, '/body/price/value'],
    ['a time to come', { occurred_at: at(3700).toISOString() }, '/body/occurred_at'],
    ['a time before chains', { occurred_at: '2008-12-31T23:59:59Z' }, '/body/occurred_at'],
    ['a note of control characters', { note: 'a\u0000b' }, '/body/note'],
  ])('refuses %s, and changes nothing', async (_, body, pointer) => {
    const added = await add();
    const refused = await patch(added.id, body);
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, pointer]);
    expect((await read(added.id)).body).toEqual(added);
  });

  it('changes nothing of what was read from a chain', async () => {
    await api.addFromChain(api.ether, 1n, 5);
    const [{ id }] = (await api.list()).transactions;
    expect((await read(id)).body.origin).toBe('chain');
    expect((await patch(id, { note: 'mine' })).body.code).toBe('transaction_from_chain');
    expect((await patch(UNKNOWN_ID, { note: 'mine' })).body.code).toBe('transaction_not_found');
    expect((await read(UNKNOWN_ID)).body.code).toBe('transaction_not_found');
  });
});
