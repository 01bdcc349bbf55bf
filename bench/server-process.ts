import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireProgram } from '../test/support/debian-package.ts';
import { SERVER_CORE } from './wrk.ts';

export type ServerProcess = {
  readonly url: string;
  readonly pid: number;
  /** From its start to the first answer. */
  readonly startMs: number;
  /** CPU time since its start, of all its threads. */
  cpuMs(): number;
  rssMb(): number;
  /** The most memory it ever had. */
  peakMb(): number;
  stop(): Promise<void>;
};

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
const CLOCK_TICK_MS = 10;

type ServerOptions = {
  /** Of the project. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Gets PORT besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  readonly core?: string;
  /** The variable that takes the port: PORT unless told. */
  readonly portVariable?: string;
  /** What answers once it serves: `/` unless told, with any status. */
  readonly readyPath?: string;
};

/** A Node process of its own on one core, with its log in a file, that serves HTTP. */
export async function startServerProcess(options: ServerOptions): Promise<ServerProcess> {
  const { script, args = [], env = {}, nodeArgs = [], core = SERVER_CORE, portVariable = 'PORT', readyPath = '/' } = options;
  await requireProgram('taskset', 'util-linux');
  const folder = mkdtempSync(join(tmpdir(), 'chainfolio-bench-'));
  const log = join(folder, 'log');
  const output = openSync(log, 'w');
  const port = await findFreePort();
  const path = join(import.meta.dirname, '..', script);
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', core, process.execPath, ...nodeArgs, path, ...args], {
    stdio: ['ignore', output, output],
    env: { PATH: process.env.PATH, ...env, [portVariable]: String(port) },
  });
  const { pid } = child;
  const url = `http://127.0.0.1:${port}`;
  if (pid === undefined || !(await answers(url + readyPath, child))) {
    child.kill('SIGKILL');
    throw new Error(`${script} does not start:\n${readFileSync(log, 'utf8').slice(-2000)}`);
  }
  return {
    url,
    pid,
    startMs: performance.now() - startedAt,
    cpuMs: () => cpuMs(pid),
    rssMb: () => readStatusMb(pid, 'VmRSS'),
    peakMb: () => readStatusMb(pid, 'VmHWM'),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const timeUp = sleep(STOP_TIMEOUT_MS, 'late', { ref: false });
        if ((await Promise.race([ended, timeUp])) === 'late') child.kill('SIGKILL');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < giveUpAt && child.exitCode === null) {
    try {
      await (await fetch(url)).arrayBuffer();
      return true;
    } catch {
      await sleep(5);
    }
  }
  return false;
}

function cpuMs(pid: number): number {
  // The name in brackets may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS;
}

function readStatusMb(pid: number, field: string): number {
  const kib = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
