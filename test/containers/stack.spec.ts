import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import type { Body } from '../support/test-stack.ts';
import { type ContainerStack, createContainerStack, ROOT } from './container-stack.ts';
import { buildImage, inspect, logsOf, podman } from './podman.ts';
import { startWorld, type World } from './world.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
/** 2 x 3000 + 3 x 150.5 */
const TOTAL = '6451.5';
const OWN_SERVICES = ['postgres', 'redis-cache', 'redis-queue', 'api', 'worker', 'nginx'];

let world: World;
let stack: ContainerStack;

beforeAll(async () => {
  world = await startWorld();
  await world.ethereum.setNative(ALICE, 2n * 10n ** 18n);
  world.solana.setSol(world.solana.address('carol'), 3_000_000_000n);
  await buildImage(ROOT);
  stack = await createContainerStack({ ...world.settings, RATE_LIMIT_PER_MINUTE: '0' });
  await stack.up();
});
afterAll(async () => {
  await stack?.close();
  await world?.close();
});

/** What a portfolio says of its time, which two answers never share. */
function withoutAges(portfolio: Body): Body {
  return JSON.parse(JSON.stringify(portfolio, (name, value) => (/^(generated_at|age_seconds)$/.test(name) ? undefined : value)));
}

/** Reads through nginx, and with `writes` a write in ten. */
function load({ writes }: { readonly writes: boolean }) {
  let asked = 0;
  return startLoad({
    urls: [stack.url],
    clients: 8,
    headers: stack.keyHeader,
    next() {
      asked += 1;
      if (!writes || asked % 10 !== 0) return { path: '/api/v1/portfolio' };
      return { method: 'POST', path: '/api/v1/wallets', body: JSON.stringify({ address: ALICE, chain: 'ethereum' }) };
    },
  });
}

/** More answers from now on. */
async function untilMore(running: ReturnType<typeof startLoad>, count: number): Promise<void> {
  await running.untilAnswered(running.counts.answered + count);
}

describe('the system of docker-compose.yml', () => {
  it('reads wallets added through nginx into one portfolio, the same from every instance', async () => {
    await stack.post('/wallets', { address: ALICE, chain: 'ethereum', label: 'Alice' });
    await stack.post('/wallets', { address: world.solana.address('carol'), chain: 'solana' });
    await stack.post('/portfolio/refresh', {}, { prefer: 'wait=60' });
    const portfolio = await stack.get('/portfolio');
    expect(portfolio.sources.map((source: Body) => [source.status, source.error])).toEqual(Array(3).fill(['ok', null]));
    expect(portfolio).toMatchObject({ total_value: TOTAL, complete: true });
    for (const api of stack.apis) {
      const { body } = await stack.ask(api, '/api/v1/portfolio');
      expect(withoutAges(body)).toEqual(withoutAges(portfolio));
    }
  });

  it('made one first key, for its owner alone to read, and asks for it', async () => {
    const modes = await Promise.all(stack.apis.map((api) => podman('exec', api, 'stat', '-c', '%a %U', '/data/first-admin-key')));
    expect(modes).toEqual(['600 node', '600 node']);
    const key = stack.keyHeader['x-api-key'] ?? '';
    expect(key).toMatch(/^cpf_\w{62}$/);
    expect((await fetch(`${stack.url}/api/v1/portfolio`)).status).toBe(401);
    for (const service of ['api', 'nginx']) expect(await logsOf(stack.nameOf(service))).not.toContain(key.slice(17));
    const made = await podman(
      'exec',
      stack.apis[0] ?? '',
      'node',
      'src/keys.ts',
      'create',
      '--name',
      'b',
      '--scopes',
      'read:values',
    );
    const bearer = { Authorization: `Bearer ${made}` };
    expect((await fetch(`${stack.url}/api/v1/portfolio`, { headers: bearer })).status).toBe(200);
    expect((await fetch(`${stack.url}/api/v1/keys`, { headers: bearer })).status).toBe(403);
  });

  it('shows a change that one instance made at once at the other', async () => {
    const [{ id }] = (await stack.get('/wallets?chain=ethereum')).wallets;
    for (const label of ['One', 'Two', 'Three']) {
      const sent = await fetch(`${stack.url}/api/v1/wallets/${id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', ...stack.keyHeader },
        body: JSON.stringify({ label }),
      });
      expect(sent.status).toBe(200);
      for (const api of stack.apis) {
        await expect.poll(async () => (await stack.ask(api, `/api/v1/wallets/${id}`)).body.label).toBe(label);
      }
    }
  });

  it('takes every right from every container and bounds its memory', async () => {
    for (const service of OWN_SERVICES) {
      const name = stack.nameOf(service);
      expect(await inspect(name, '.HostConfig.ReadonlyRootfs'), service).toBe('true');
      expect(Number(await inspect(name, '.HostConfig.Memory')), service).toBeGreaterThan(0);
      expect(await inspect(name, '.HostConfig.SecurityOpt'), service).toContain('no-new-privileges');
      const status = await podman('exec', name, 'cat', '/proc/1/status');
      expect(status, service).toMatch(/^Uid:\t(?!0\t)/m);
      expect(status, service).toMatch(/^CapEff:\t0+$/m);
      expect(status, service).toMatch(/^CapBnd:\t0+$/m);
      expect(status, service).toMatch(/^NoNewPrivs:\t1$/m);
    }
    await expect(podman('exec', stack.apis[0] ?? '', 'touch', '/app/x')).rejects.toThrow(/Read-only file system/);
  });

  it('give everything away as one file', async () => {
    const file = await podman('exec', stack.apis[0] ?? '', 'node', 'src/export.ts', '--out', '-');
    const lines = file.trim().split('\n');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ format: 'chainfolio-export', version: 1 });
    expect(JSON.parse(lines.at(-1) ?? '')).toHaveProperty('sha256');
  });

  it('bounds the processes of every service, which podman-compose passes over', () => {
    const file = readFileSync(`${ROOT}/docker-compose.yml`, 'utf8');
    const services = file
      .slice(file.indexOf('\nservices:'), file.indexOf('\nnetworks:'))
      .split(/\n {2}(?=[a-z-]+:\n)/)
      .slice(1);
    expect(services.length).toBeGreaterThan(7);
    for (const service of services) expect(service).toMatch(/\n {4}pids_limit: \d+/);
  });

  it('shows no secret to whoever looks at the containers', async () => {
    const password = await podman('exec', stack.nameOf('postgres'), 'cat', '/run/secrets/postgres_password');
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    for (const service of ['postgres', 'api', 'worker', 'migrate', 'nginx']) {
      const name = stack.nameOf(service);
      expect(await podman('container', 'inspect', name), service).not.toContain(password);
      expect(await logsOf(name), service).not.toContain(password);
    }
  });

  it('opens nothing but nginx to the host, and nothing of the data to nginx', async () => {
    for (const service of ['postgres', 'redis-cache', 'redis-queue', 'api', 'worker', 'migrate']) {
      expect(await podman('port', stack.nameOf(service)), service).toBe('');
    }
    const nginx = stack.nameOf('nginx');
    expect(await podman('port', nginx)).toMatch(/^8080\/tcp -> 127\.0\.0\.1:\d+$/);
    await expect(podman('exec', nginx, 'getent', 'hosts', 'redis-queue')).rejects.toThrow();
    expect(await podman('exec', nginx, 'getent', 'hosts', 'api')).not.toBe('');
  });

  it('finds every instance and the worker healthy by its own check', async () => {
    for (const name of [...stack.apis, stack.nameOf('worker')]) {
      await expect.poll(() => podman('healthcheck', 'run', name).catch(String), { timeout: 60_000, interval: 1_000 }).toBe('');
    }
  });

  it('is scraped by its Prometheus: both instances and the worker', async () => {
    const targets = async (): Promise<string[]> => {
      const answer: Body = await fetch(`${stack.prometheusUrl}/api/v1/targets`).then((response) => response.json());
      return answer.data.activeTargets.map((target: Body) => target.health);
    };
    await expect.poll(targets, { timeout: 90_000, interval: 1_000 }).toEqual(['up', 'up', 'up']);
  });
});

describe('while clients keep asking', () => {
  it('loses no request when an instance is killed, and takes it back when it has come back by itself', async () => {
    const [victim = ''] = stack.apis;
    const running = load({ writes: false });
    await untilMore(running, 200);
    process.kill(Number(await inspect(victim, '.State.Pid')), 'SIGKILL');
    await untilMore(running, 500);
    await stack.untilReady(victim);
    await stack.untilServing(victim);
    await untilMore(running, 200);
    await running.stop();
    expect(running.counts.failures).toEqual([]);
  });

  it('serves on with both Redis servers frozen', async () => {
    const servers = [stack.nameOf('redis-cache'), stack.nameOf('redis-queue')];
    const running = load({ writes: true });
    await untilMore(running, 100);
    await podman('pause', ...servers);
    try {
      await untilMore(running, 500);
      expect(await stack.get('/portfolio')).toMatchObject({ total_value: TOTAL });
    } finally {
      await podman('unpause', ...servers);
    }
    await untilMore(running, 100);
    await running.stop();
    expect(running.counts.failures).toEqual([]);
  });

  it('fails no request, reads or writes, while every instance is restarted in turn', async () => {
    const running = load({ writes: true });
    await untilMore(running, 200);
    for (const api of stack.apis) await restart(api);
    await untilMore(running, 200);
    await running.stop();
    expect(running.counts.failures).toEqual([]);
  });
});

/** Stops an instance as an operator does, sees it drain and end well, and waits until it serves again. */
async function restart(api: string): Promise<void> {
  const started = performance.now();
  const stopping = podman('stop', '--time', '45', api);
  await expect
    .poll(() => stack.ask(api, '/health/ready').then(({ status }) => status), { timeout: 30_000, interval: 100 })
    .toBe(503);
  await stopping;
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(await inspect(api, '.State.ExitCode')).toBe('0');
  await podman('start', api);
  await stack.untilReady(api);
  await stack.untilServing(api);
}

describe('stopped and started again', () => {
  it('ends the worker and nginx well on a signal', async () => {
    for (const name of [stack.nameOf('worker'), stack.nameOf('nginx')]) {
      await podman('stop', '--time', '45', name);
      expect(await inspect(name, '.State.ExitCode'), name).toBe('0');
      await podman('start', name);
    }
  });

  it('keeps everything, and then shares a limit between the instances that no header gets round', async () => {
    await stack.down();
    await stack.up({ RATE_LIMIT_PER_MINUTE: '100' });
    const statuses: number[] = [];
    for (let index = 0; index < 300; index++) {
      const forged = { 'X-Forwarded-For': `203.0.113.${index % 250}`, 'X-Real-IP': `198.51.100.${index % 250}` };
      const response = await fetch(`${stack.url}/api/v1/portfolio`, {
        headers: { ...forged, Forwarded: `for=192.0.2.${index % 250}`, ...stack.keyHeader },
      });
      statuses.push(response.status);
      if (response.status === 429) {
        expect(response.headers.get('content-type')).toContain('application/problem+json');
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      } else {
        expect(await response.json()).toMatchObject({ total_value: TOTAL });
      }
    }
    const allowed = statuses.filter((status) => status === 200).length;
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
    expect(allowed).toBe(100);
    // Whoever has no key is counted by address.
    expect(await askFromAnotherAddress()).toBe('401');
  });
});

/** The status that a client in a container of its own is answered with. */
function askFromAnotherAddress(): Promise<string> {
  const asked = `{host:'nginx',port:8080,path:'/api/v1/portfolio',headers:{host:'localhost'},agent:false}`;
  const script = `require('http').get(${asked},(answer)=>console.log(answer.resume().statusCode))`;
  return podman('run', '--rm', '--network', stack.network('edge'), 'chainfolio', 'node', '-e', script);
}
