import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '../../src/domain/access.ts';
import { nextAddress, UNKNOWN_ID } from '../support/store-fixtures.ts';
import type { Body } from '../support/test-stack.ts';
import { ROWS, type Row } from './matrix-rows.ts';
import { type Answer, startWorld, type World } from './matrix-world.ts';

let world: World;
/** Something of the tenant's that must not be seen anywhere else. */
let address: string;

beforeAll(async () => {
  world = await startWorld();
  address = nextAddress();
  await world.make('/wallets', { address, chain: 'ethereum', label: 'secret label' });
  await world.make('/assets', { chain: 'ethereum', address: world.token });
  await world.make('/portfolio/refresh');
}, 120_000);
afterAll(() => world.close());

it('has a row for every operation, and no other', async () => {
  const response = await fetch(`${world.stack.url}/api/v1/openapi.json`);
  const document: Body = await response.json();
  const operations = Object.values<Body>(document.paths).flatMap((path) =>
    Object.values<Body>(path).map(({ operationId }) => operationId),
  );
  expect(Object.keys(ROWS).sort()).toEqual(operations.sort());
});

describe.each(Object.entries(ROWS))('%s', (_name, row) => {
  it('is refused without a key, and with one that is wrong', async () => {
    const sent = await row.send(world);
    const wrong = `${world.stranger.slice(0, -1)}${world.stranger.endsWith('0') ? '1' : '0'}`;
    for (const key of [null, wrong, 'x'.repeat(300)]) {
      const answer = await world.call(row.method, sent, key);
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.text).code).toBe('unauthorized');
    }
  });

  it.each(SCOPES)('goes by its scopes for a key with %s', async (scope) => {
    const answer = await world.call(row.method, await row.send(world), world.keys.get(scope) ?? null);
    if (row.scopes.includes(scope)) expect(answer.status, answer.text).toBe(row.ok);
    else expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'forbidden']);
  });

  it('shows another tenant nothing of it', async () => {
    const sent = await row.send(world);
    const answer = await world.call(row.method, sent, world.stranger);
    expect(answer.text).not.toContain(address);
    expect(answer.text).not.toContain('secret label');
    await EXPECTED[row.others](row, { sent, answer });
  });
});

type Asked = { readonly sent: Awaited<ReturnType<Row['send']>>; readonly answer: Answer };

const EXPECTED: Readonly<Record<Row['others'], (row: Row, asked: Asked) => void | Promise<void>>> = {
  own: (row, { answer }) => expect(answer.status, answer.text).toBe(row.ok),
  refused: (_row, { answer }) => expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'forbidden']),
  empty: (_row, { answer }) => expect([answer.status, JSON.parse(answer.text).code]).toEqual([404, 'snapshot_not_found']),
  // What they may do with it depends on what is theirs.
  shared: (_row, { answer }) => expect(answer.status, answer.text).toBeLessThan(500),
  async hidden(row, { sent, answer }) {
    const missing = await world.call(row.method, withUnknownIds(sent), world.stranger);
    expect(answer.status, answer.text).toBe(missing.status);
    expect(withoutNames(answer)).toEqual(withoutNames(missing));
    expect(answer.status).toBeGreaterThanOrEqual(400);
  },
};

const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The same about things that never were. */
function withUnknownIds(sent: Asked['sent']): Asked['sent'] {
  const path = sent.path.replaceAll(IDS, UNKNOWN_ID).replace(/^\/keys\/\w+/, '/keys/000000000000');
  if (sent.body === undefined) return { ...sent, path };
  const text = typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body);
  return { ...sent, path, body: text.replaceAll(IDS, UNKNOWN_ID) };
}

/** An answer without what differs from request to request: its id, and the ids that were asked for. */
function withoutNames({ text }: Answer): unknown {
  const { request_id: _request, instance: _instance, ...rest } = JSON.parse(text.replaceAll(IDS, 'id'));
  return rest;
}
