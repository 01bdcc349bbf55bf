import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isolatedEnvironment, runScript } from '../support/service-process.ts';

const SECRET = 'CANARY-5f1d9a7c3b';
const folder = mkdtempSync(join(tmpdir(), 'chainfolio-faults-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileWith(text: string): string {
  const file = join(folder, `secret-${Math.random()}`);
  writeFileSync(file, text);
  return file;
}

/** Mistakes that are found before anything is begun, each with what is said of it. */
const MISTAKES: readonly (readonly [Record<string, string>, RegExp])[] = [
  [{ PORT: 'three' }, /\bPORT: must be a whole number$/m],
  [{ DATABASE_URL: `mysql://u:${SECRET}@127.0.0.1/x` }, /\bDATABASE_URL: must be a postgres:\/\/ URL$/m],
  [{ REDIS_URL_FILE: join(folder, 'missing') }, /\bREDIS_URL_FILE: the file cannot be read$/m],
  [{ DATABASE_REPLICA_URL_FILE: folder }, /\bDATABASE_REPLICA_URL_FILE: the file cannot be read$/m],
  [{ COINGECKO_API_KEY: SECRET, COINGECKO_API_KEY_FILE: fileWith(SECRET) }, /\bCOINGECKO_API_KEY: set it or .*, not both$/m],
  [{ ETHEREUM_RPC_URLS: `ftp://host/${SECRET}` }, /\bETHEREUM_RPC_URLS: must be an http or https URL$/m],
  [{ ATLANTIS_RPC_URLS: 'http://127.0.0.1' }, /\bATLANTIS_RPC_URLS: no chain of this name is known$/m],
  [{ LOG_LEVEL: 'loud' }, /\bLOG_LEVEL: /m],
];

describe('fault 48: a start with what cannot work', { timeout: 60_000 }, () => {
  it.each(['main', 'migrate'] as const)('fault 48: %s tells all mistakes at once, a line each, and no secret', async (script) => {
    const environment = isolatedEnvironment(Object.assign({}, ...MISTAKES.map(([mistake]) => mistake)));
    const { code, output } = await runScript(script, { environment });
    expect(code).toBe(1);
    const told = output.replace('chainfolio cannot start: ', '');
    for (const [, message] of MISTAKES) expect(told).toMatch(message);
    expect(output.trim().split('\n')).toHaveLength(MISTAKES.length);
    expect(output).not.toContain(SECRET);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a database that nobody serves',
      { DATABASE_URL: `postgres://u:${SECRET}@127.0.0.1:1/x` },
      /DATABASE_URL: the database cannot be reached/,
    ],
  ])('fault 48: %s ends at once with one clear line and no secret', async (_, overrides, message) => {
    const { code, output } = await runScript('main', { environment: isolatedEnvironment(overrides) });
    expect(code).toBe(1);
    expect(output).toMatch(message);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).not.toContain(SECRET);
  });
});
