import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { listHttpErrors } from '../src/api/http-errors.ts';

const CONF = readFileSync(new URL('../nginx.conf', import.meta.url), 'utf8');

test('nginx names its own errors as the API does', () => {
  const [codes, titles] = [table('problem_code'), table('problem_title')];
  const shown = [...codes].map(([status, code]) => ({ code, status, title: titles.get(status) }));
  const known = listHttpErrors().map(({ code, status, title }) => ({ code, status, title }));
  for (const entry of shown) {
    // The default is for every status of a request that cannot be read.
    if (Number.isNaN(entry.status)) expect(known).toContainEqual({ ...entry, status: 400 });
    else expect(known).toContainEqual(entry);
  }
  expect(shown).toHaveLength(12);
});

/** The entries of a `map` by status; the default under NaN. */
function table(name: string): Map<number, string> {
  const body = new RegExp(`map \\$status \\$${name} \\{\\n([^}]+)\\}`).exec(CONF)?.[1] ?? '';
  const entries = body.matchAll(/^\s+(\d+|default) (?:'([^']+)'|(\w+));$/gm);
  return new Map([...entries].map(([, status = '', quoted, word]) => [Number(status), quoted ?? word ?? '']));
}
