import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compose } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { FILLED_UNTIL, fillDatabase } from '../support/fill-database.ts';
import { isolatedEnvironment, runScript } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const folder = mkdtempSync(join(tmpdir(), 'chainfolio-restore-'));
const file = join(folder, 'everything.jsonl.gz');
const plain = join(folder, 'everything.jsonl');
let [old, fresh]: TestDatabase[] = [];

const environment = (database: TestDatabase | undefined): Readonly<Record<string, string>> =>
  isolatedEnvironment({ DATABASE_URL: database?.url ?? '', LOG_LEVEL: 'silent', RATE_LIMIT_PER_MINUTE: '0' });
const exportTo = (out: string, env = environment(old)): ReturnType<typeof runScript> =>
  runScript('export', { environment: env, args: ['--out', out] });
const importFrom = (from: string, env = environment(fresh)): ReturnType<typeof runScript> =>
  runScript('import', { environment: env, args: [from] });

beforeAll(async () => {
  [old, fresh] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  if (old === undefined) throw new Error('no database');
  await fillDatabase(old.db);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([old?.close(), fresh?.close()]);
});

/** What a service over the database answers, to the byte. */
async function readAnswers(database: TestDatabase | undefined): Promise<ReadonlyMap<string, string>> {
  const service = await compose(loadConfig(environment(database)));
  const { url } = await service.start();
  try {
    const read = async (path: string): Promise<readonly [string, string]> => {
      const answer = await fetch(`${url}/api/v1${path}`);
      return [path, `${answer.status} ${await answer.text()}`];
    };
    const { wallets }: { wallets: { id: string }[] } = JSON.parse(await (await fetch(`${url}/api/v1/wallets`)).text());
    const paths = [...PATHS, ...wallets.flatMap(({ id }) => [`/wallets/${id}`, `/wallets/${id}/balances`])];
    return new Map(await Promise.all(paths.map(read)));
  } finally {
    await service.stop();
  }
}

const PATHS = [
  '/portfolio',
  '/portfolio?currency=EUR&include=spam',
  '/wallets',
  '/assets?include=spam',
  '/portfolio/history',
  '/portfolio/history?interval=1h&series=wallet&fill=previous&from=2026-12-01&to=2026-12-11',
  '/portfolio/history?interval=1d&series=asset&tz=Asia/Kathmandu&currency=EUR',
  '/portfolio/history?interval=5m&from=2026-12-01T12:00:00Z&to=2026-12-01T13:00:00Z',
  '/portfolio/performance?period=1M',
  '/portfolio/performance?period=all&currency=EUR&cost_basis=average',
  '/portfolio/changes?from=2026-11-25&to=2026-12-15',
  '/transactions',
  '/transactions?limit=2',
  '/statements?date=2026-12-09',
  '/statements?date=2026-12-03&tz=Pacific/Apia&currency=EUR',
];

describe('a service restored from an export', () => {
  it('answers as the old one did, to the byte', async () => {
    const exported = await exportTo(file);
    expect(exported).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Exported 2 wallets, 30 snapshots and 4 ledger entries \(\d+ rows\) to /),
    });
    const imported = await importFrom(file);
    expect(imported).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^Imported 2 wallets, 30 snapshots and 4 ledger entries \(\d+ rows\) from /),
    });
    // The clock stands still: ages are part of the answers.
    vi.useFakeTimers({ now: FILLED_UNTIL.getTime() + 60_000, toFake: ['Date'] });
    const [before, after] = await Promise.all([readAnswers(old), readAnswers(fresh)]).finally(() => vi.useRealTimers());
    expect([...before].filter(([, answer]) => !answer.startsWith('200 '))).toEqual([]);
    expect(after).toEqual(before);
  }, 60_000);

  it('is exported as the same file', async () => {
    expect((await exportTo(plain, environment(fresh))).code).toBe(0);
    expect(readFileSync(plain, 'utf8')).toBe(gunzipSync(readFileSync(file)).toString());
  });

  it('goes to the standard output where it is wanted there', async () => {
    const lines = (await exportTo('-')).output.split('\n').filter((line) => !line.startsWith('Exported 2 wallets'));
    expect(`${lines.join('\n')}\n`).toBe(readFileSync(plain, 'utf8'));
  });
});

describe('the file', () => {
  it('is for its owner alone', () => {
    expect([file, plain].map((name) => statSync(name).mode & 0o777)).toEqual([0o600, 0o600]);
  });

  it('is refused where data are', async () => {
    expect(await importFrom(file)).toMatchObject({
      code: 1,
      output: 'Nothing was imported: The database holds data already (wallets): an import needs an empty one.',
    });
  });

  it('is refused when it was altered, and nothing of it stays', async () => {
    const damaged = join(folder, 'damaged.jsonl');
    writeFileSync(damaged, readFileSync(plain, 'utf8').replace('1000000000000000000', '1000000000000000001'));
    const database = await createTestDatabase();
    try {
      expect(await importFrom(damaged, environment(database))).toMatchObject({
        code: 1,
        output: 'Nothing was imported: the file is cut off or was altered.',
      });
      expect((await sql`select from assets`.execute(database.db)).rows).toEqual([]);
    } finally {
      await database.close();
    }
  });

  it('goes into the embedded database of a service that is stopped, and comes out of one that runs', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'chainfolio-restore-'));
    const env = isolatedEnvironment({ DATA_DIR: dataDir });
    const again = join(folder, 'again.jsonl');
    expect(await exportTo(again, env)).toMatchObject({ code: 1, output: expect.stringContaining('There is no database in') });
    expect((await importFrom(file, env)).output).toMatch(/^Imported 2 wallets/);
    const postgres = await startEmbeddedPostgres({ dataDir });
    try {
      expect((await exportTo(again, env)).output).toMatch(/^Exported 2 wallets/);
      expect(readFileSync(again, 'utf8')).toBe(readFileSync(plain, 'utf8'));
      const refused = await importFrom(file, env);
      expect(refused).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^Nothing was imported: Another chainfolio \(process \d+\) uses .* Stop it/),
      });
    } finally {
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  }, 120_000);
});
