import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { createLogger, type LoggerOptions } from '../../src/lib/logger.ts';
import { createRedactor } from '../../src/lib/redactor.ts';

const KEY = 'CANARY0123456789';
const RPC_URL = `https://eth.example.com/v3/${KEY}`;
const PASSWORD = 'CANARY"pass\\word\n/ü';

/** What a log with these settings wrote, and its lines as JSON. */
function writeLines(write: (log: ReturnType<typeof createLogger>) => void, level: LoggerOptions['level'] = 'info') {
  let text = '';
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  write(createLogger({ level, secrets: [KEY, RPC_URL, PASSWORD, 'abc'], destination }));
  const lines: Record<string, unknown>[] = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  return { text, lines };
}

describe('a log', () => {
  it('writes JSON lines with a level by name and a time', () => {
    const { lines } = writeLines((log) => log.info({ chain: 'base' }, 'refreshed'));
    expect(lines).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), chain: 'base', msg: 'refreshed' }]);
  });

  it('writes nothing below its level', () => {
    expect(writeLines((log) => log.debug('no')).lines).toEqual([]);
    expect(writeLines((log) => log.fatal('no'), 'silent').lines).toEqual([]);
  });

  it.each(['KEY', 'RPC_URL', 'PASSWORD'] as const)('holds no secret wherever it was put (%s)', (name) => {
    const secret = { KEY, RPC_URL, PASSWORD }[name];
    const { text, lines } = writeLines((log) => {
      const cause = new Error(`inner ${secret}`, { cause: new Error(`innermost ${secret}`) });
      const own = Object.assign(new Error(`outer ${secret}`, { cause }), { info: { requestUrl: secret } });
      log.info(`message ${secret}`);
      log.error({ err: own }, 'error');
      log.error({ err: new AggregateError([own], secret) }, 'errors');
      log.warn({ err: new AppError('internal', 'hidden', { cause: own }) });
      log.info({ deep: { deeper: [{ [secret]: secret }] }, url: `https://x/?k=${encodeURIComponent(secret)}` });
      log.child({ bound: secret }).info('%s and %j', secret, { secret });
    });
    expect(lines).toHaveLength(6);
    expect(text).not.toContain('CANARY');
    expect(text).toContain('[secret]');
  });
});

it('tells an error by its words, not by what a library hung on it', () => {
  const error = Object.assign(new Error('connection lost', { cause: new Error('reset') }), {
    code: '57P01',
    client: { secretKey: 4711 },
  });
  const { text, lines } = writeLines((log) => log.warn({ err: error }, 'lost'));
  expect(lines[0]).toMatchObject({
    err: { type: 'Error', code: '57P01', message: 'connection lost', causes: [{ message: 'reset' }] },
  });
  expect(text).not.toContain('secretKey');
});

describe('createRedactor', () => {
  it('hides what has the form of a key or of a webhook’s secret, known or not', () => {
    const { redact } = createRedactor([]);
    const key = `cpf_4fKq0ZsLw2Xb_${'aZ09'.repeat(12)}x`;
    expect(redact(`X-API-Key: ${key}, then whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/==.`)).toBe(
      'X-API-Key: [secret], then [secret].',
    );
  });

  it('leaves no secret whole, whatever characters secrets and text are made of', () => {
    const secret = fc.string({ minLength: 6, unit: fc.constantFrom(...'ab.*+?^$()|[]{}\\\\/"\\n%ü😀') });
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 5 }), fc.string(), (secrets, noise) => {
        const { redact, redactJson } = createRedactor(secrets);
        for (const one of secrets) {
          expect(redact(noise + one + noise)).not.toContain(one);
          const line = redactJson(JSON.stringify({ noise, text: noise + one }));
          expect(JSON.parse(line).text).not.toContain(one);
        }
      }),
    );
  });

  it('takes out whole secrets, the longest first, in plain text too', () => {
    const { redact } = createRedactor([KEY, RPC_URL, PASSWORD]);
    expect(redact(`a ${RPC_URL} b ${KEY} c ${PASSWORD} d ${encodeURIComponent(PASSWORD)}`)).toBe(
      'a [secret] b [secret] c [secret] d [secret]',
    );
  });

  it('leaves short texts alone, which are words rather than secrets', () => {
    const { redact, redactJson } = createRedactor(['', 'abc', 'rpc12']);
    expect(redact('abc rpc12')).toBe('abc rpc12');
    expect(redactJson('{"abc":"rpc12"}')).toBe('{"abc":"rpc12"}');
  });

  it('keeps a line JSON even if a secret looks like its syntax', () => {
    const { redactJson } = createRedactor(['nested":{"', 'quote"end']);
    const line = JSON.stringify({ nested: { a: 'nested":{"' }, b: 'quote"end' });
    expect(JSON.parse(redactJson(line))).toEqual({ nested: { a: '[secret]' }, b: '[secret]' });
  });
});
