import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LedgerApi, startLedgerApi } from '../support/ledger-api.ts';
import { UNKNOWN_ID } from '../support/store-fixtures.ts';
import type { Body } from '../support/test-stack.ts';

let api: LedgerApi;
beforeAll(async () => {
  api = await startLedgerApi();
});
afterAll(() => api.database.close());
beforeEach(() => api.reset());

describe('POST /transactions/import', () => {
  const HEADER = 'wallet_id,asset_id,type,amount,occurred_at,reference';
  const send = async (lines: readonly string[], query = '') =>
    api.call('POST', `/transactions/import${query}`, { body: lines.join('\r\n'), headers: { 'Content-Type': 'text/csv' } });
  const line = (rest: string): string => `${api.wallet().id},eip155:1/slip44:60,${rest}`;

  it('does what a dry run said, in the zone of the file, and nothing twice', async () => {
    const file = [HEADER, line('deposit,1,2026-07-01 12:00:00,a'), '', line('withdrawal,-0.5,2026-01-01T12:00:00+05:45,')];
    const dry = await send(file, '?tz=Europe/Berlin&dry_run=true');
    expect([dry.status, dry.body]).toEqual([200, { dry_run: true, lines: 2, added: 2, known: [], errors: [] }]);
    expect((await api.list()).transactions).toEqual([]);
    const done = await send(file, '?tz=Europe/Berlin');
    expect([done.status, done.body]).toEqual([201, { ...dry.body, dry_run: false }]);
    expect((await api.list()).transactions).toMatchObject([
      { occurred_at: '2026-07-01T10:00:00.000Z', amount: '1', origin: 'csv' },
      { occurred_at: '2026-01-01T06:15:00.000Z', amount: '-0.5', origin: 'csv' },
    ]);
    const more = [...file, line('income,2,2026-07-02 12:00:00,b')];
    const known = [
      { line: 2, reference: 'a' },
      { line: 4, reference: null },
    ];
    const expected = { lines: 3, added: 1, known, errors: [] };
    expect((await send(more, '?tz=Europe/Berlin&dry_run=true')).body).toMatchObject(expected);
    expect((await send(more, '?tz=Europe/Berlin')).body).toMatchObject(expected);
    expect((await send(more, '?tz=Europe/Berlin')).body).toMatchObject({ added: 0 });
    expect((await api.list()).transactions).toHaveLength(3);
  });

  it('names every bad line, and adds nothing then', async () => {
    const file = [
      HEADER,
      line('deposit,1,2026-07-01 12:00:00,good'),
      line('gift,1,2026-03-29 02:30:00,'),
      line('deposit,1,2025-10-26 02:30:00,'),
      line('deposit,-1,2026-07-01 12:00:00,'),
      `${UNKNOWN_ID},eip155:1/slip44:60,deposit,1,2026-07-01 12:00:00,`,
      'a,b',
      line('deposit,1,2026-07-01,'),
    ];
    for (const query of ['?tz=Europe/Berlin', '?tz=Europe/Berlin&dry_run=true']) {
      const answer = await send(file, query);
      expect(answer.status).toBe(query.includes('dry') ? 200 : 422);
      expect(answer.body).toMatchObject({ lines: 7, added: 0, known: [] });
      expect(answer.body.errors.map(({ line: at, column, code }: Body) => `${at} ${column} ${code}`)).toEqual([
        '3 occurred_at nonexistent_time',
        '3 type unknown_type',
        '4 occurred_at ambiguous_time',
        '5 amount wrong_sign',
        '6 wallet_id wallet_not_found',
        '7 null wrong_length',
        '8 occurred_at invalid_time',
      ]);
    }
    expect((await api.list()).transactions).toEqual([]);
  });

  it('refuses a line that is the same as another one of its file', async () => {
    const same = line('deposit,1,2026-07-01 12:00:00,');
    const answer = await send([HEADER, same, line('deposit,2,2026-07-01 12:00:00,'), same]);
    expect(answer.body.errors).toMatchObject([{ line: 4, column: 'reference', code: 'duplicate' }]);
    expect(answer.body.errors[0].message).toContain('line 2');
  });

  it('takes ten thousand lines at once, and not one more', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => line(`deposit,1,2026-07-01 12:00:00,${index}`));
    expect((await send([HEADER, ...lines])).body).toMatchObject({ lines: 10_000, added: 10_000 });
    expect((await send([HEADER, ...lines, lines[0] ?? ''])).body.errors).toMatchObject([{ code: 'too_many_lines' }]);
  });

  it('takes no file without a table in it', async () => {
    const codes = async (...lines: readonly string[]): Promise<Body> =>
      (await send(lines)).body.errors.map(({ code }: Body) => code);
    expect(await codes('')).toEqual(['empty']);
    expect(await codes('wallet_id;type;amount')).toEqual(['unknown_column']);
    expect(await codes('wallet_id,type,amount,occurred_at')).toEqual(['missing_column']);
    expect(await codes(HEADER, line('deposit,"1,2026-07-01 12:00:00,'))).toEqual(['open_quote']);
    expect(await codes(HEADER)).toEqual([]);
  });

  it.each<[string, string, string, string]>([
    ['JSON', '{}', 'application/json', 'unsupported_media_type'],
    ['another encoding', 'a', 'text/csv; charset=utf-16', 'unsupported_media_type'],
    ['too large a file', 'x'.repeat(2 * 1024 * 1024 + 1), 'text/csv', 'payload_too_large'],
  ])('refuses %s', async (_, body, type, code) => {
    const answer = await api.call('POST', '/transactions/import', { body, headers: { 'Content-Type': type } });
    expect(answer.body.code).toBe(code);
  });
});
