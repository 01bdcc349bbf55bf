import { access, constants } from 'node:fs/promises';
import { runTool } from './run-tool.ts';

/** A system user that PostgreSQL runs as. */
export type PostgresAccount = { readonly uid: number; readonly gid: number };

const ACCOUNT_NAME = 'postgres';

/**
 * The user to run PostgreSQL as when this process is root, which PostgreSQL refuses to be: the system's `postgres`, made if there is
 * none. Undefined when this process may run it itself.
 */
export async function findPostgresAccount(): Promise<PostgresAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known = await lookUp();
  if (known !== undefined) return known;
  await runTool('groupadd', ['--system', ACCOUNT_NAME]);
  await runTool('useradd', [
    '--system',
    '--gid',
    ACCOUNT_NAME,
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    ACCOUNT_NAME,
  ]);
  return lookUp();
}

/** Whether the account can go into the folder. */
export async function canReach(account: PostgresAccount | undefined, directory: string): Promise<boolean> {
  if (account === undefined) {
    return access(directory, constants.X_OK).then(
      () => true,
      () => false,
    );
  }
  const { code } = await runTool('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { account });
  return code === 0;
}

async function lookUp(): Promise<PostgresAccount | undefined> {
  const [user, group] = await Promise.all([runTool('id', ['-u', ACCOUNT_NAME]), runTool('id', ['-g', ACCOUNT_NAME])]);
  if (user.code !== 0 || group.code !== 0) return undefined;
  return { uid: Number.parseInt(user.output, 10), gid: Number.parseInt(group.output, 10) };
}
