import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const CONFIG = '.dependency-cruiser.cjs';

/** What is imported across a border, so that each breach has something to point at. */
const VICTIMS = {
  'src/config.ts': 'export const config = 1;',
  'src/compose.ts': 'export const composed = 1;',
  'src/domain/thing.ts': 'export const thing = 1;\nexport type Thing = typeof thing;',
  'src/lib/helper.ts': 'export const helper = 1;',
  'src/adapters/one/client.ts': 'export const client = 1;',
  'src/db/store.ts': 'export const createStore = 1;\nexport type Store = typeof createStore;',
  'src/services/work.ts': 'export const createWork = 1;\nexport type Work = typeof createWork;',
  'src/api/route.ts': 'export const route = 1;',
  'test/support/fake.ts': 'export const fake = 1;',
  'demo/show.ts': 'export const show = 1;',
};

/** One breach a rule: the file that commits it, and what it says. */
const BREACHES: Readonly<Record<string, readonly [file: string, code: string]>> = {
  'domain-is-pure': ['src/domain/a.ts', "import { helper } from '../lib/helper.ts';\nexport const a = helper;"],
  'lib-knows-no-business': ['src/lib/a.ts', "import { thing } from '../domain/thing.ts';\nexport const a = thing;"],
  'adapters-never-look-up': [
    'src/adapters/one/a.ts',
    "import type { Work } from '../../services/work.ts';\nexport type A = Work;",
  ],
  'adapter-folders-are-islands': [
    'src/adapters/two/a.ts',
    "import { client } from '../one/client.ts';\nexport const a = client;",
  ],
  'db-sees-domain-and-ports': ['src/db/a.ts', "import { client } from '../adapters/one/client.ts';\nexport const a = client;"],
  'sql-lives-in-db': ['src/services/a.ts', "import type { Kysely } from 'kysely';\nexport type A = Kysely<unknown>;"],
  'http-lives-in-api': ['src/adapters/one/b.ts', "import type { Router } from 'express';\nexport type B = Router;"],
  'chain-libraries-live-in-adapters': ['src/api/a.ts', "import { getAddress } from 'ethers';\nexport const a = getAddress;"],
  'nothing-of-ethers-signs': ['src/adapters/one/d.ts', "import { Wallet } from 'ethers';\nexport const d = Wallet.createRandom;"],
  'nothing-of-solana-signs': [
    'src/adapters/one/e.ts',
    "import { generateKeyPairSigner } from '@solana/kit';\nexport const e = generateKeyPairSigner;",
  ],
  'redis-lives-in-few-places': ['src/db/b.ts', "import type { Redis } from 'ioredis';\nexport type B = Redis;"],
  'queues-live-in-jobs': ['src/lib/f.ts', "import type { Queue } from 'bullmq';\nexport type F = Queue;"],
  'metrics-live-in-lib-metrics': ['src/api/d.ts', "import type { Registry } from 'prom-client';\nexport type D = Registry;"],
  'traces-live-in-lib-tracing': ['src/api/e.ts', "import { trace } from '@opentelemetry/api';\nexport const e = trace;"],
  'calls-leave-through-one-client': ['src/services/g.ts', "import { request } from 'undici';\nexport const g = request;"],
  'breakers-live-in-the-endpoint-pool': [
    'src/adapters/one/c.ts',
    "import CircuitBreaker from 'opossum';\nexport const c = CircuitBreaker;",
  ],
  'services-need-no-package': ['src/services/b.ts', "import { z } from 'zod';\nexport const b = z;"],
  'services-take-adapters-and-stores-as-types': [
    'src/services/c.ts',
    "import { createStore } from '../db/store.ts';\nexport const c = createStore;",
  ],
  'services-never-look-up': ['src/services/d.ts', "import type { route } from '../api/route.ts';\nexport type D = typeof route;"],
  'api-and-jobs-go-through-services': ['src/api/b.ts', "import type { Store } from '../db/store.ts';\nexport type B = Store;"],
  'api-takes-services-as-types': [
    'src/jobs/a.ts',
    "import { createWork } from '../services/work.ts';\nexport const a = createWork;",
  ],
  'only-the-roots-compose': ['src/lib/b.ts', "import { composed } from '../compose.ts';\nexport const b = composed;"],
  'config-is-handed-in': ['src/api/c.ts', "import { config } from '../config.ts';\nexport const c = config;"],
  'no-cycles': ['src/domain/b.ts', "import { c } from './c.ts';\nexport const b = (): number => c();"],
  'nothing-imports-tests': ['src/lib/c.ts', "import { fake } from '../../test/support/fake.ts';\nexport const c = fake;"],
  'src-is-the-product': ['src/lib/d.ts', "import { show } from '../../demo/show.ts';\nexport const d = show;"],
  'no-unresolved': ['src/lib/e.ts', "import { gone } from './gone.ts';\nexport const e = gone;"],
};

const { forbidden }: { forbidden: readonly { name: string }[] } = createRequire(import.meta.url)(join(ROOT, CONFIG));

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'chainfolio-gate-'));
  for (const file of [CONFIG, 'tsconfig.json', 'package.json']) await cp(join(ROOT, file), join(project, file));
  await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  await plant(VICTIMS);
});

afterAll(() => rm(project, { recursive: true }));

/** The gate reads every file there is, which takes long where much else runs. */
const TIMEOUT_MS = 120_000;

test('the import gate passes the product', { timeout: TIMEOUT_MS }, async () => {
  const { code, output } = await cruise(ROOT);
  expect(output).toContain('no dependency violations found');
  expect(code).toBe(0);
});

test('every rule of the import gate bites', { timeout: TIMEOUT_MS }, async () => {
  // The gate passes everything in silence when it cannot read TypeScript, as under TypeScript 7: so it is shown what it must refuse.
  const clean = await cruise(project);
  expect(clean.output).toContain('no dependency violations found');
  expect(clean.code).toBe(0);

  await plant(Object.fromEntries(Object.values(BREACHES)));
  await plant({ 'src/domain/c.ts': "import { b } from './b.ts';\nexport const c = (): number => b();" });
  const breached = await cruise(project);
  expect(Object.keys(BREACHES).toSorted()).toEqual(forbidden.map(({ name }) => name).toSorted());
  for (const [rule, [file]] of Object.entries(BREACHES)) expect(breached.output).toContain(`error ${rule}: ${file} → `);
  expect(breached.code).toBeGreaterThanOrEqual(forbidden.length);
});

test('one breach alone fails the command', { timeout: TIMEOUT_MS }, async () => {
  await rm(join(project, 'src'), { recursive: true });
  await plant({ ...VICTIMS, 'src/services/c.ts': BREACHES['services-take-adapters-and-stores-as-types']?.[1] ?? '' });
  const { code, output } = await cruise(project);
  expect(output).toContain('services-take-adapters-and-stores-as-types');
  expect(code).toBe(1);
});

async function plant(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, code] of Object.entries(files)) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await writeFile(join(project, file), `${code}\n`);
  }
}

function cruise(cwd: string): Promise<{ code: number; output: string }> {
  const command = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = [command, '--config', CONFIG, 'src'];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      },
    );
  });
}
