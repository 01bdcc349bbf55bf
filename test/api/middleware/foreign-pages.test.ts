import { expect, it } from 'vitest';
import { buildRefresh } from '../../support/stub-services.ts';
import { createTestApi } from '../../support/test-api.ts';

const PAGE = 'https://app.example';

function refresh(site: string | undefined, corsOrigins: readonly string[] = []) {
  const api = createTestApi({ refreshes: { refresh: async () => buildRefresh() } }, { corsOrigins });
  const headers = site === undefined ? {} : { 'Sec-Fetch-Site': site, Origin: PAGE };
  return api.call('POST', '/portfolio/refresh', { headers });
}

it('a page of another site can have nobody’s service write, even without a body', async () => {
  const refused = await refresh('cross-site');
  expect(refused.status).toBe(403);
  expect(refused.body).toMatchObject({ code: 'forbidden' });
  expect((await refresh('cross-site', ['https://other.example'])).status).toBe(403);
});

it.each([
  ['a page that is allowed', 'cross-site', [PAGE]],
  ['any page where all are', 'cross-site', ['*']],
  ['a page of the service itself', 'same-origin', []],
  ['a client that is no browser', undefined, []],
])('%s can', async (_name, site, corsOrigins) => {
  expect((await refresh(site, corsOrigins)).status).toBe(200);
});
