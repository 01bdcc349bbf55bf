import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
/** Rows that say what holds without a test of their own number. */
const UNNAMED = new Set([31, 32, 33, 34, 35]);

type Row = { readonly number: number; readonly tests: readonly { readonly title: string; readonly file: string }[] };

const rows: readonly Row[] = readFileSync(new URL('docs/faults.md', ROOT), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const number = /^\| (\d+) \|/.exec(line)?.[1];
    const tests = [...line.matchAll(/`(fault [^`]+)` \(([^)]+\.test\.ts)\)/g)].map(([, title = '', file = '']) => ({
      title,
      file,
    }));
    return number === undefined ? [] : [{ number: Number(number), tests }];
  });

it('the table of faults has every row once, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
});

it.each(rows.filter(({ number }) => !UNNAMED.has(number)))('fault $number is proved by tests that exist', ({ number, tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const { title, file } of tests) {
    expect(title).toMatch(new RegExp(`^fault ${number}: `));
    const source = readFileSync(new URL(file, ROOT), 'utf8');
    const isThere = [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => source.includes(quoted));
    expect(isThere, `${file} has the test "${title}"`).toBe(true);
  }
});
