import { describe, expect, it } from 'vitest';
import { readApiDocument } from '../../fuzz/api-document.ts';
import { checkAnswer } from '../../fuzz/check-answer.ts';
import { walletPageExample } from '../../src/api/examples.ts';
import { createOpenApi } from '../../src/api/openapi.ts';
import { percentPortfolioExample } from '../../src/api/percent-examples.ts';
import { createRoutes } from '../../src/api/server.ts';
import { buildServerDeps } from '../support/stub-services.ts';

const served: unknown = JSON.parse(JSON.stringify(createOpenApi(createRoutes(buildServerDeps()), { version: '1' })));
const document = readApiDocument(served);
const asked = {
  operation: { method: 'GET', path: '/', parameters: [], body: null, answers: new Map() },
  headers: {},
  body: null,
  keyIndex: null,
};

const problem = {
  type: '/docs/errors/rate_limited',
  title: 'Too many requests',
  status: 429,
  detail: 'Wait.',
  instance: '/api/v1/wallets',
  code: 'rate_limited',
  request_id: 'a',
  errors: [],
};

type Answer = { readonly status?: number; readonly type?: string; readonly body?: unknown };

function check(target: string, { status = 200, type = 'application/json', body = {} }: Answer) {
  const request = { ...asked, method: 'GET', target };
  const headers = { 'content-type': type, 'x-content-type-options': 'nosniff', 'x-request-id': 'a' };
  return checkAnswer(document, request, { status, headers, text: JSON.stringify(body) });
}

const PROBLEM = 'application/problem+json; charset=utf-8';

describe('an answer', () => {
  it('that is as documented is fine, in each form that is', () => {
    expect(check('/api/v1/wallets?limit=1', { body: walletPageExample })).toEqual([]);
    expect(check('/api/v1/portfolio', { body: percentPortfolioExample })).toEqual([]);
    expect(check('/api/v1/wallets', { status: 429, type: PROBLEM, body: problem })).toEqual([]);
    expect(check('/nowhere', { status: 404, type: PROBLEM, body: problem })).toEqual([]);
  });

  it.each<[string, string, Answer, RegExp]>([
    ['with a field that nothing tells of', '/api/v1/wallets', { body: { ...walletPageExample, secret: 1 } }, /secret/],
    [
      'with one deep inside',
      '/api/v1/portfolio',
      { body: { ...percentPortfolioExample, by_chain: [{ chain: 'base', share: null, complete: true, usd_value: '1' }] } },
      /./,
    ],
    ['without a field that is told of', '/api/v1/wallets', { body: { wallets: [] } }, /next_cursor/],
    ['with a status that is not documented', '/api/v1/wallets', { status: 418, type: PROBLEM, body: problem }, /418/],
    ['of another kind', '/api/v1/wallets', { type: 'text/html', body: walletPageExample }, /text\/html/],
    ['that is an error and no problem', '/nowhere', { status: 404, body: {} }, /application\/json/],
    ['that says the service failed', '/nowhere', { status: 500, type: PROBLEM, body: problem }, /500/],
    ['with a stack', '/nowhere', { status: 404, type: PROBLEM, body: { ...problem, detail: 1 } }, /detail/],
  ])('%s is a fault', (_, target, answer, fault) => {
    expect(check(target, answer).join('; ')).toMatch(fault);
  });

  it('with a stack in it is a fault', () => {
    const request = { ...asked, method: 'GET', target: '/' };
    const text = 'Error: x\n    at run (/app/src/main.ts:1:2)';
    expect(checkAnswer(document, request, { status: 404, headers: {}, text })).toContain('it holds a stack');
  });
});
