import { createServer } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etagOf, sendJson } from '../../src/api/send-json.ts';
import { request } from '../support/request.ts';

describe('an ETag', () => {
  it('is strong over the bytes of an answer without ages', () => {
    expect(etagOf('{"a":1}')).toMatch(/^"[\w-]{27}"$/);
    expect(etagOf('{"a":1}')).not.toBe(etagOf('{"a":2}'));
  });

  it('is weak where there are ages, and the same whatever they are', () => {
    const at = (age: number | null, moment: string): string =>
      etagOf(JSON.stringify({ generated_at: moment, rows: [{ value: '1', age_seconds: age }] }));
    expect(at(1, '2026-11-21T12:00:00.000Z')).toMatch(/^W\/"/);
    expect(at(1, '2026-11-21T12:00:00.000Z')).toBe(at(99, '2026-11-21T12:01:38.000Z'));
    expect(etagOf('{"value":"1","age_seconds":5}')).not.toBe(etagOf('{"value":"2","age_seconds":5}'));
  });

  it('takes no text of a token for an age', () => {
    const name = (text: string): string => etagOf(JSON.stringify({ token_name: text }));
    expect(name('"age_seconds":1')).toMatch(/^"/);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', '\\', 'age_seconds', 'generated_at', ':', '1', '{', ',') }), (text) => {
        expect(name(text)).toMatch(/^"/);
      }),
    );
  });
});

describe('a read', () => {
  const serve = (body: unknown, status = 200) =>
    createServer((incoming, response) => sendJson(incoming, response, { status, body }));

  it.each([
    ['the tag itself', (tag: string) => tag],
    ['its weak form', (tag: string) => `W/${tag}`],
    ['a list that holds it', (tag: string) => `"x", ${tag}`],
    ['anything', () => '*'],
  ])('is a 304 without a body for %s', async (_name, toHeader) => {
    const server = serve({ value: '1' });
    const first = await request(server).get('/');
    expect(first.headers['cache-control']).toBe('private, no-cache');
    const second = await request(server)
      .get('/')
      .set('If-None-Match', toHeader(first.headers.etag ?? ''));
    expect(second.status).toBe(304);
    expect(second.text).toBe('');
    expect(second.headers.etag).toBe(first.headers.etag);
    expect(second.headers['content-type']).toBeUndefined();
  });

  it('is whole when anything has changed', async () => {
    const { headers } = await request(serve({ value: '1' })).get('/');
    const answer = await request(serve({ value: '2' }))
      .get('/')
      .set('If-None-Match', headers.etag ?? '');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ value: '2' });
  });

  it('has the head of a GET when only the head is asked for', async () => {
    const server = serve({ value: 'ü' });
    const { headers } = await request(server).get('/');
    const head = await request(server).head('/');
    expect(head.headers.etag).toBe(headers.etag);
    expect(head.headers['content-length']).toBe(headers['content-length']);
  });

  it('carries no tag unless it is a 200', async () => {
    expect((await request(serve({}, 503)).get('/')).headers.etag).toBeUndefined();
  });
});

it('a write is neither tagged nor stored', async () => {
  const server = createServer((incoming, response) => sendJson(incoming, response, { status: 200, body: { a: 1 } }));
  const answer = await request(server).post('/').set('If-None-Match', '*');
  expect(answer.status).toBe(200);
  expect(answer.headers.etag).toBeUndefined();
  expect(answer.headers['cache-control']).toBe('no-store');
});
