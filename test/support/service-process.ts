import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rpcUrlsVariable } from '../../src/config.ts';
import { chains } from '../../src/domain/chains.ts';
import type { Body } from './test-stack.ts';

type Script = 'main' | 'worker' | 'migrate' | 'dead-letters' | 'export' | 'import' | 'keys' | 'tenants';
type Environment = Readonly<Record<string, string>>;
type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** The service, or its worker, as a process of its own. */
export type ServiceProcess = {
  readonly url: string;
  readonly pid: number;
  /** Every line that it logged or printed so far. */
  readonly lines: readonly string[];
  /** What it logged so far, as objects. */
  log(): readonly Body[];
  /** Resolves with the first line, past or to come, that matches; rejects when the process ends without one. */
  untilLogged(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, by itself or by a signal. */
  readonly ended: Promise<Exit>;
  rssBytes(): number;
  /** Sends SIGTERM and waits for the end. */
  stop(): Promise<Exit>;
  /** `kill -9`, and waits for the end. */
  kill(): Promise<Exit>;
};

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** An endpoint that refuses every connection. */
const NOWHERE = 'http://127.0.0.1:9';
/** A slow, loaded machine. */
const START_TIMEOUT_MS = 60_000;

/** What a service needs to know to talk to nobody outside this machine, on a free port. */
export function isolatedEnvironment(overrides: Environment = {}): Environment {
  return {
    PATH: process.env.PATH ?? '',
    ...Object.fromEntries(chains.map((chain) => [rpcUrlsVariable(chain), NOWHERE])),
    DEFILLAMA_URL: NOWHERE,
    COINGECKO_URL: NOWHERE,
    PORT: '0',
    WORKER_PORT: '0',
    EMBEDDED_WORKER: 'false',
    ...overrides,
  };
}

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** Starts `src/main.ts` or `src/worker.ts` and waits until it serves. */
export async function startServiceProcess({
  script = 'main',
  environment,
}: {
  readonly script?: 'main' | 'worker';
  readonly environment: Environment;
}): Promise<ServiceProcess> {
  const run = launch(script, environment);
  const timer = setTimeout(() => run.child.kill('SIGKILL'), START_TIMEOUT_MS);
  const line = await run.untilLogged(/"msg":"serving"/).finally(() => clearTimeout(timer));
  const { url }: Body = JSON.parse(line);
  return { url, ...run };
}

/** Runs a script of `src` to its end. */
export async function runScript(
  script: Script,
  { environment, args = [] }: { readonly environment: Environment; readonly args?: readonly string[] },
): Promise<Exit & { readonly output: string }> {
  const { ended, lines } = launch(script, environment, args);
  return { ...(await ended), output: lines.join('\n') };
}

type Launched = Omit<ServiceProcess, 'url'> & { readonly child: ChildProcess };

function launch(script: Script, environment: Environment, args: readonly string[] = []): Launched {
  const child = spawn(process.execPath, [`${ROOT}/src/${script}.ts`, ...args], {
    env: environment,
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  living.add(child);
  const { lines, untilLogged } = collectLines(child);
  const ended = once(child, 'close').then(([code, signal]): Exit => {
    living.delete(child);
    return { code, signal };
  });
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    child.kill(signal);
    return ended;
  };
  return {
    child,
    pid: child.pid ?? 0,
    lines,
    log: () => lines.flatMap(parseLine),
    untilLogged,
    signal: (signal) => void child.kill(signal),
    ended,
    rssBytes: () => readRssBytes(child.pid ?? 0),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

function collectLines(child: ChildProcess): Pick<ServiceProcess, 'lines' | 'untilLogged'> {
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (part: string) => {
      const complete = (rest + part).split('\n');
      rest = complete.pop() ?? '';
      for (const line of complete) {
        lines.push(line);
        for (const look of waiting) look(line);
      }
    });
  }
  return {
    lines,
    untilLogged: (pattern) =>
      new Promise((resolve, reject) => {
        const past = lines.find((line) => pattern.test(line));
        if (past !== undefined) return resolve(past);
        const look = (line: string): void => {
          if (!pattern.test(line)) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        child.once('close', (code) => {
          reject(new Error(`the process ended with ${code} before it said ${pattern}:\n${lines.slice(-20).join('\n')}`));
        });
      }),
  };
}

function parseLine(line: string): readonly Body[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

function readRssBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}
