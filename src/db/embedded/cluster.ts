import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../../lib/startup-error.ts';
import { canReach, findPostgresAccount, type PostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { isPostmaster, removeForeignPostmasterFile } from './postmaster-file.ts';
import { runTool } from './run-tool.ts';

/** A folder with PostgreSQL's data and the programs to run it. */
export type Cluster = {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly password: string;
  /** Starts the server on a free port of the loopback address, or on this one. False when it did not come up, `explainFailure` tells why. */
  start(port?: number): Promise<boolean>;
  /** Ends this one server, and never another that has taken its place: cleanly, after five seconds at once, after two more by force. */
  stop(pid: number): Promise<void>;
  /** The last line that the server logged. */
  explainFailure(): Promise<string>;
};

// PostgreSQL's fast and immediate shutdown.
const STOP_STEPS = [
  ['SIGINT', 5_000],
  ['SIGQUIT', 2_000],
  ['SIGKILL', 2_000],
] as const;
const MAX_LOG_BYTES = 5_000_000;

/** Opens the cluster in `dataDir`, made there if there is none. Throws StartupError for a folder or a version that cannot be used. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const account = await findPostgresAccount();
  const root = await prepareFolder(resolve(dataDir), account);
  const binaries = await findPostgresBinaries(account, root);
  const directory = join(root, 'postgres');
  const dataDirectory = join(directory, 'data');
  if (!(await exists(directory))) await initialise({ root, directory, account, binaries });
  await checkVersion(dataDirectory, binaries.majorVersion);
  const logFile = join(directory, 'server.log');
  return {
    directory,
    dataDirectory,
    password: (await readFile(join(directory, 'password'), 'utf8')).trim(),
    async start(port) {
      await writeSettings(dataDirectory, port ?? (await findFreePort()));
      if (((await stat(logFile).catch(() => undefined))?.size ?? 0) > MAX_LOG_BYTES) await truncate(logFile);
      await removeForeignPostmasterFile(dataDirectory);
      const args = ['start', '-s', '-w', '-t', '30', '-D', dataDirectory, '-l', logFile];
      return (await runTool(binaries.pgCtl, args, { account, cwd: directory })).code === 0;
    },
    async stop(pid) {
      for (const [signal, timeoutMs] of STOP_STEPS) {
        const giveUpAt = Date.now() + timeoutMs;
        if (await isPostmaster(pid, dataDirectory)) process.kill(pid, signal);
        while (Date.now() < giveUpAt && (await isPostmaster(pid, dataDirectory))) await sleep(20);
      }
    },
    async explainFailure() {
      const text = await readFile(logFile, 'utf8').catch(() => '');
      return (
        text
          .trim()
          .split('\n')
          .findLast((line) => line.includes('FATAL')) ?? `see ${logFile}`
      );
    },
  };
}

/** The folder, existing, and open to the account. One that we made or that is empty is opened; any other is the owner's business. */
async function prepareFolder(root: string, account: PostgresAccount | undefined): Promise<string> {
  try {
    await mkdir(root, { recursive: true, mode: account === undefined ? 0o700 : 0o755 });
    if (account !== undefined && (await readdir(root)).length === 0) await chmod(root, 0o755);
  } catch (error) {
    throw new StartupError(`DATA_DIR: ${root} cannot be made or read. Set DATA_DIR to a folder of yours.`, { cause: error });
  }
  if (await canReach(account, root)) return root;
  throw new StartupError(
    account === undefined
      ? `DATA_DIR: ${root} cannot be entered.`
      : `DATA_DIR: started by root, PostgreSQL runs as the user postgres, who cannot enter ${root}. Choose a folder outside root's home.`,
  );
}

type NewCluster = {
  readonly root: string;
  readonly directory: string;
  readonly account: PostgresAccount | undefined;
  readonly binaries: PostgresBinaries;
};

/** Built aside and moved into place, so that a start that was killed half-way, or two at once, leave either nothing or a whole cluster. */
async function initialise({ root, directory, account, binaries }: NewCluster): Promise<void> {
  await removeLeftovers(root);
  const draft = await mkdtemp(`${directory}.new-`).catch((error: unknown) => {
    throw new StartupError(`DATA_DIR: ${root} cannot be written to.`, { cause: error });
  });
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (account !== undefined) {
    await chown(draft, account.uid, account.gid);
    await chown(passwordFile, account.uid, account.gid);
  }
  const { code, output } = await runTool(
    binaries.initdb,
    [
      `--pgdata=${join(draft, 'data')}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
    ],
    { account, cwd: draft, timeoutMs: 120_000 },
  );
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new StartupError(`PostgreSQL could not make its files in ${root}: ${output.split('\n').at(-1) ?? ''}`);
  }
  await rename(draft, directory).catch(() => rm(draft, { recursive: true, force: true }));
}

const DRAFT_IS_OLD_AFTER_MS = 600_000;

async function removeLeftovers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.includes('.new-')) continue;
    const draft = await stat(join(root, name)).catch(() => undefined);
    if (draft === undefined || Date.now() - draft.mtimeMs < DRAFT_IS_OLD_AFTER_MS) continue;
    await rm(join(root, name), { recursive: true, force: true });
  }
}

async function checkVersion(dataDirectory: string, majorVersion: string): Promise<void> {
  const found = (await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (found === majorVersion) return;
  throw new StartupError(
    found === ''
      ? `DATA_DIR: ${dataDirectory} is not a PostgreSQL data folder.`
      : `DATA_DIR: ${dataDirectory} was made by PostgreSQL ${found}, this is PostgreSQL ${majorVersion}. Move the data with pg_dump, or choose another folder.`,
  );
}

/** The whole configuration, written anew at every start: the cluster is ours alone. */
async function writeSettings(dataDirectory: string, port: number): Promise<void> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '50',
    shared_buffers: '128MB',
    // Short queries over few rows: compiling them costs more than it saves.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'warning',
    // Statements may hold addresses and labels; the log names errors only.
    log_min_error_statement: 'panic',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'`);
  const draft = join(dataDirectory, `postgresql.conf.${port}`);
  await writeFile(draft, `# Written by chainfolio at every start.\n${lines.join('\n')}\n`);
  // In one step: a server that another process starts right now must not read half of it.
  await rename(draft, join(dataDirectory, 'postgresql.conf'));
}

function findFreePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolvePort(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
