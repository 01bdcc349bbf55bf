import { execFile } from 'node:child_process';

export type ToolResult = { readonly code: number; readonly output: string };

type ToolOptions = {
  /** Whom to run it as, when not as ourselves. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** A folder that the account can reach; its own current folder may not be. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
};

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a command to its end and gives back its exit code (-1 when it could not be started or was stopped) and all it printed. Nothing of our
 * environment goes along: it holds secrets, and PG* variables that would mislead PostgreSQL's tools.
 */
export function runTool(command: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const { account, cwd = '/', timeoutMs = 60_000 } = options;
  const env = { PATH: SYSTEM_PATH, LC_ALL: 'C', TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { env, cwd, timeout: timeoutMs, encoding: 'utf8', maxBuffer: 1_048_576, ...account },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: `${stdout}${stderr}`.trim() || (error?.message ?? '') });
      },
    );
  });
}
