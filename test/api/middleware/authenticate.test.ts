import { describe, expect, it, vi } from 'vitest';
import { createAuthenticate } from '../../../src/api/middleware/authenticate.ts';
import { createClientAddress } from '../../../src/api/middleware/client-address.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createAttemptLimit } from '../../../src/lib/attempt-limit.ts';
import { ownerOf, WALLET_ID } from '../../support/stub-services.ts';
import { createTestApi, type TestApi } from '../../support/test-api.ts';

const GOOD = 'cpf_goodgoodgood_secret';
/** One that cannot be looked up. */
const UNASKED = 'cpf_unasked';
const MAX_VAIN = 5;

function setup({ isRequired = true } = {}) {
  const lookups = vi.fn();
  const keys = {
    authenticate: async (text: string, beforeLookup: () => void) => {
      beforeLookup();
      lookups(text);
      if (text === UNASKED) throw new AppError('database_unavailable', 'down');
      if (text !== GOOD) throw new AppError('unauthorized', 'There is no such key.');
      return ownerOf('friend');
    },
  };
  const get = vi.fn(async () => {
    throw new AppError('wallet_not_found', 'none');
  });
  const clientOf = createClientAddress(['127.0.0.1', '::1']);
  const attempts = createAttemptLimit({ max: MAX_VAIN, windowMs: 60_000 });
  const authenticate = createAuthenticate({ keys, isRequired, clientOf, attempts });
  return { api: createTestApi({ wallets: { get } }, { authenticate, trustedProxies: ['127.0.0.1', '::1'] }), get, lookups };
}

const PATH = `/wallets/${WALLET_ID}`;
const ask = (api: TestApi, headers: Record<string, string> = {}, path = PATH) => api.call('GET', path, { headers });

describe('a key', () => {
  it.each([
    ['Authorization', `Bearer ${GOOD}`],
    ['Authorization', `bearer   ${GOOD}`],
    ['X-API-Key', GOOD],
  ])('is taken from %s: %s', async (name, value) => {
    const { api, get } = setup();
    expect((await ask(api, { [name]: value })).status).toBe(404);
    expect(get).toHaveBeenCalledWith('friend', WALLET_ID);
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['another kind of login', { Authorization: 'Basic dXNlcjpwYXNz' }],
    ['nothing after the kind', { Authorization: 'Bearer ' }],
    ['two', { Authorization: `Bearer ${GOOD}`, 'X-API-Key': GOOD }],
    ['an unknown one', { 'X-API-Key': 'cpf_other' }],
    ['a list', { 'X-API-Key': `${GOOD}, ${GOOD}` }],
  ])('is asked for when there is %s', async (_, headers) => {
    const { api, get } = setup();
    const refused = await ask(api, headers);
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Bearer realm="chainfolio"');
    expect(refused.body.code).toBe('unauthorized');
    expect(JSON.stringify(refused.body)).not.toContain('cpf_o');
    expect(get).not.toHaveBeenCalled();
  });

  it.each(['api_key', 'key', 'access_token', 'x'])(
    'in the address is refused, as %s too, even with a good one in a header',
    async (name) => {
      const { api, lookups } = setup();
      const refused = await ask(api, { 'X-API-Key': GOOD }, `${PATH}?${name}=cpf_4fKq0ZsLw2Xb_aaaa`);
      expect(refused.status).toBe(401);
      expect(refused.body.detail).toMatch(/revoke it/);
      expect(lookups).not.toHaveBeenCalled();
    },
  );
});

describe('where no key is asked for', () => {
  it('a request without one is the owner’s, whatever other login it carries', async () => {
    const { api, get } = setup({ isRequired: false });
    await ask(api);
    await ask(api, { Authorization: 'Basic dXNlcjpwYXNz' });
    expect(get.mock.calls).toEqual(Array.from({ length: 2 }, () => ['00000000-0000-0000-0000-000000000001', WALLET_ID]));
  });

  it('one that comes counts, and a wrong one is refused', async () => {
    const { api, get } = setup({ isRequired: false });
    await ask(api, { 'X-API-Key': GOOD });
    expect(get).toHaveBeenCalledWith('friend', WALLET_ID);
    expect((await ask(api, { 'X-API-Key': 'cpf_other' })).status).toBe(401);
  });
});

describe('guessing', () => {
  const from = (client: string, key: string) => ({ 'X-Forwarded-For': client, 'X-API-Key': key });

  it('is stopped by address before anything is looked up', async () => {
    const { api, lookups } = setup();
    for (let i = 0; i < MAX_VAIN; i++) expect((await ask(api, from('192.0.2.1', `cpf_${i}`))).status).toBe(401);
    const stopped = await ask(api, from('192.0.2.1', 'cpf_x'));
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0);
    expect(lookups).toHaveBeenCalledTimes(MAX_VAIN);
    expect((await ask(api, from('192.0.2.2', GOOD))).status).toBe(404);
  });

  it('is not what a database that is down makes of the keys of all', async () => {
    const { api } = setup();
    for (let i = 0; i < 2 * MAX_VAIN; i++) expect((await ask(api, from('192.0.2.1', UNASKED))).status).toBe(503);
    expect((await ask(api, from('192.0.2.1', GOOD))).status).toBe(404);
  });

  it('is what good keys are not taken for', async () => {
    const { api } = setup();
    for (let i = 0; i < 3 * MAX_VAIN; i++) expect((await ask(api, from('192.0.2.1', GOOD))).status).toBe(404);
  });
});
