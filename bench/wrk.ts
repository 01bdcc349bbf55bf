import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { requireProgram } from '../test/support/debian-package.ts';

const run = promisify(execFile);

/** The load's core; what is measured has the other one to itself. */
export const LOAD_CORE = '1';
export const SERVER_CORE = '0';

export type Load = {
  readonly url: string;
  readonly seconds: number;
  /** 64 unless told. */
  readonly connections?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Asks for one URL over and over; answers with requests a second. Throws when an answer was not 2xx or 3xx, or a socket failed. */
export async function runWrk({ url, seconds, connections = 64, headers = {} }: Load): Promise<number> {
  await requireProgram('wrk', 'wrk');
  const lines = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const args = ['-c', LOAD_CORE, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, ...lines, url];
  const { stdout } = await run('taskset', args);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  if (rate === undefined || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`the load on ${url} went wrong:\n${stdout}`);
  return Number(rate);
}
