import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import type { Body } from '../support/test-stack.ts';
import { inspect, logsOf, podman, until } from './podman.ts';
import { PROJECT_PREFIX, removeKilledRuns, removeProject } from './remove-project.ts';

const run = promisify(execFile);
export const ROOT = join(import.meta.dirname, '..', '..');
/** Replicas of the API in docker-compose.yml. */
const API_COUNT = 2;
const READY_TIMEOUT_MS = 180_000;

/** The system of docker-compose.yml, as it stands, in a folder and under a name of its own. */
export type ContainerStack = {
  /** nginx, from the host. */
  readonly url: string;
  readonly prometheusUrl: string;
  /** The containers of the API. */
  readonly apis: readonly string[];
  /** A key that may do everything, sent with every request here; known once it was up. */
  readonly keyHeader: Readonly<Record<string, string>>;
  nameOf(service: string): string;
  network(name: string): string;
  get(path: string): Promise<Body>;
  post(path: string, body: object, headers?: Readonly<Record<string, string>>): Promise<Body>;
  /** Asks one container itself. */
  ask(container: string, path: string): Promise<{ readonly status: number; readonly body: Body }>;
  untilReady(container: string): Promise<void>;
  /** Resolves when nginx sends requests to the container under its present address. */
  untilServing(container: string): Promise<void>;
  /** Starts everything that is not running with these settings on top of the first ones, and waits until it serves. */
  up(settings?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops everything in time and removes the containers; the data stays. */
  down(): Promise<void>;
  /** Removes everything, data included. */
  close(): Promise<void>;
};

/** Prepares a folder as a user would, with `deploy/init.sh`, without starting anything yet. */
export async function createContainerStack(settings: Readonly<Record<string, string>>): Promise<ContainerStack> {
  await removeKilledRuns();
  // Podman takes small letters only.
  const project = PROJECT_PREFIX + randomUUID().slice(0, 8);
  const folder = join(tmpdir(), project);
  await mkdir(folder);
  for (const name of ['docker-compose.yml', 'nginx.conf', 'deploy', 'ops', '.env.example']) {
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  }
  await run('sh', [join(folder, 'deploy', 'init.sh')]);
  const [httpPort, prometheusPort] = [await findFreePort(), await findFreePort()];
  const url = `http://127.0.0.1:${httpPort}`;
  const first = { ...settings, HTTP_PORT: String(httpPort), PROMETHEUS_PORT: String(prometheusPort) };
  const compose = (...args: string[]): Promise<unknown> =>
    run('podman-compose', ['-p', project, ...args], { cwd: folder, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 });
  const nameOf = (service: string, number = 1): string => `${project}_${service}_${number}`;
  const apis = Array.from({ length: API_COUNT }, (_, index) => nameOf('api', index + 1));

  const keyHeader: Record<string, string> = {};
  const stack: ContainerStack = {
    url,
    prometheusUrl: `http://127.0.0.1:${prometheusPort}`,
    apis,
    keyHeader,
    nameOf,
    network: (name) => `${project}_${name}`,
    get: async (path) => (await expectStatus(fetch(`${url}/api/v1${path}`, { headers: keyHeader }), 200)).json(),
    async post(path, body, headers = {}) {
      const init = {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...keyHeader, ...headers },
      };
      const response = await fetch(`${url}/api/v1${path}`, init);
      expect(response.ok, `POST ${path}: ${response.status}`).toBe(true);
      return response.json();
    },
    ask: async (container, path) => askAt(await addressOf(container, `${project}_edge`), path, keyHeader),
    async untilReady(container) {
      await until(
        `${container} is ready`,
        async () => (await stack.ask(container, '/health/ready')).status === 200,
        READY_TIMEOUT_MS,
      );
    },
    async untilServing(container) {
      const address = await addressOf(container, `${project}_edge`);
      await until(`nginx asks ${container}`, async () => {
        await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/docs/errors`)));
        return (await logsOf(nameOf('nginx'))).includes(`"instance":"${address}:3000"`);
      });
    },
    async up(changed = {}) {
      const lines = Object.entries({ ...first, ...changed }).map(([name, value]) => `${name}=${value}\n`);
      await writeFile(join(folder, '.env'), lines.join(''));
      await compose('up', '-d');
      for (const container of apis) await stack.untilReady(container);
      keyHeader['x-api-key'] = await podman('exec', apis[1] ?? '', 'cat', '/data/first-admin-key');
      for (const container of apis) await stack.untilServing(container);
    },
    async down() {
      await compose('down', '-t', '45');
    },
    close: () => removeProject(project),
  };
  return stack;
}

async function expectStatus(sent: Promise<Response>, status: number): Promise<Response> {
  const response = await sent;
  expect(response.status, response.url).toBe(status);
  return response;
}

function addressOf(container: string, network: string): Promise<string> {
  return inspect(container, `(index .NetworkSettings.Networks "${network}").IPAddress`);
}

/** One request over a connection of its own. */
function askAt(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; body: Body }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: address, port: 3000, path, headers, agent: false, timeout: 5_000 }, async (response) => {
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 5 s')));
    sent.on('error', reject);
    sent.end();
  });
}
