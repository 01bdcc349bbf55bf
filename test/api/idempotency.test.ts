import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createIdempotencyStore } from '../../src/db/requests/idempotency-store.ts';
import { AppError } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { createIdempotencyService, type IdempotencyService } from '../../src/services/requests/idempotency-service.ts';
import { buildWallet, ownerOf, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const BODY = { address: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045' };

let database: TestDatabase;
let idempotency: IdempotencyService;

beforeAll(async () => {
  database = await createTestDatabase();
  const log = { warn: () => undefined };
  idempotency = createIdempotencyService({ store: createIdempotencyStore(database.tenants), log });
});
afterAll(() => database.close());

let count = 0;
const nextKey = (): string => `key-${++count}`;

function setup(add = vi.fn(async () => ({ wallet: buildWallet(), created: true }))) {
  const api = createTestApi({ wallets: { add }, idempotency }, { authenticate: async () => ownerOf(TENANT) });
  const post = (key: string, body: object = BODY): ReturnType<TestApi['call']> =>
    api.call('POST', '/wallets', { body, headers: { 'Idempotency-Key': key } });
  return { api, add, post };
}

describe('a write with an Idempotency-Key', () => {
  it('is answered again with what it was answered first, and marked', async () => {
    const { add, post } = setup();
    const key = nextKey();
    const first = await post(key);
    // With or without the quotes of the draft it is the same key.
    const again = await post(`"${key}"`);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect([again.status, again.body, again.headers.location]).toEqual([201, first.body, first.headers.location]);
    expect(add).toHaveBeenCalledTimes(1);
  });

  it('is refused when it comes with another body, another path or another precondition', async () => {
    const { api, post } = setup();
    const key = nextKey();
    await post(key);
    const others = [
      await post(key, { ...BODY, label: 'Cold' }),
      await api.call('DELETE', `/wallets/${WALLET_ID}`, { headers: { 'Idempotency-Key': key } }),
      await api.call('POST', '/wallets', { body: BODY, headers: { 'Idempotency-Key': key, 'If-Match': '"1"' } }),
    ];
    for (const { status, body } of others) expect([status, body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('has one effect when fifty come at once', async () => {
    const { add, post } = setup();
    const key = nextKey();
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(key)));
    expect(add).toHaveBeenCalledTimes(1);
    expect(answers.filter(({ status, headers }) => status === 201 && headers['idempotent-replayed'] === undefined)).toHaveLength(
      1,
    );
    for (const { status, body, headers } of answers.filter((answer) => answer.status !== 201)) {
      expect([status, body.code, headers['retry-after']]).toEqual([409, 'idempotency_key_in_use', '1']);
    }
  });

  it('keeps a refusal, under the id of each request', async () => {
    const { add, post } = setup(vi.fn(() => Promise.reject(new AppError('invalid_address', 'It is none.'))));
    const key = nextKey();
    const [first, again] = [await post(key), await post(key)];
    expect(add).toHaveBeenCalledTimes(1);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body).toEqual({ ...first.body, request_id: again.headers['x-request-id'] });
  });

  it.each(['database_unavailable', 'rate_limited', 'internal'] as const)('may be tried again after %s', async (code) => {
    const add = vi.fn(async () => ({ wallet: buildWallet(), created: true }));
    add.mockRejectedValueOnce(new AppError(code, 'Not now.'));
    const { post } = setup(add);
    const key = nextKey();
    await post(key);
    const again = await post(key);
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, undefined]);
  });

  it.each(['', ' ', '""', 'a,b', 'a b', '"half', 'ключ', 'x'.repeat(201)])('is refused with a key like %j', async (key) => {
    const { add, post } = setup();
    // What a client library would not send is sent as bytes.
    const { status, body } = await post(Buffer.from(key).toString('latin1'));
    expect([status, body.code, body.errors[0]?.pointer]).toEqual([400, 'invalid_request', '/header/Idempotency-Key']);
    expect(add).not.toHaveBeenCalled();
  });
});

it('a key makes no difference to a read', async () => {
  const get = vi.fn(async () => buildWallet());
  const api = createTestApi({ wallets: { get }, idempotency }, { authenticate: async () => ownerOf(TENANT) });
  for (const path of [`/wallets/${WALLET_ID}`, `/wallets/${WALLET_ID}`]) {
    const { status, headers } = await api.call('GET', path, { headers: { 'Idempotency-Key': 'read' } });
    expect([status, headers['idempotent-replayed']]).toEqual([200, undefined]);
  }
  expect(get).toHaveBeenCalledTimes(2);
});
