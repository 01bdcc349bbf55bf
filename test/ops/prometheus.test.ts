import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/lib/metrics.ts';
import { requireProgram } from '../support/debian-package.ts';
import { type Prometheus, promtool, startPrometheus } from '../support/prometheus.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

const OPS = fileURLToPath(new URL('../../ops/', import.meta.url));

// On a machine without it this takes as long as its installation.
beforeAll(() => requireProgram('prometheus', 'prometheus'), 300_000);

describe('the files for Prometheus and Grafana', () => {
  it('are right by promtool, and each rule fires for its fault alone', async () => {
    expect(await promtool(['check', 'rules', `${OPS}alert-rules.yml`])).toContain('SUCCESS');
    expect(await promtool(['check', 'config', `${OPS}prometheus.yml`])).toContain('SUCCESS');
    expect(await promtool(['test', 'rules', `${OPS}alert-rules.test.yml`])).toContain('SUCCESS');
  }, 120_000);

  it('test every alert there is', () => {
    const rules: Body = parse(readFileSync(`${OPS}alert-rules.yml`, 'utf8'));
    const tests: Body = parse(readFileSync(`${OPS}alert-rules.test.yml`, 'utf8'));
    const alerts = rules.groups.flatMap((group: Body) => group.rules.flatMap((rule: Body) => rule.alert ?? []));
    const fired = tests.tests.flatMap((test: Body) =>
      test.alert_rule_test.filter((one: Body) => one.exp_alerts.length > 0).map((one: Body) => one.alertname),
    );
    expect([...new Set(fired)].toSorted()).toEqual(alerts.toSorted());
  });

  it('name no metric that is not there', async () => {
    const dashboard: Body = JSON.parse(readFileSync(`${OPS}grafana-dashboard.json`, 'utf8'));
    const rules: Body = parse(readFileSync(`${OPS}alert-rules.yml`, 'utf8'));
    const expressions: string[] = [
      ...dashboard.panels.flatMap((panel: Body) => (panel.targets ?? []).map((target: Body) => target.expr)),
      ...rules.groups.flatMap((group: Body) => group.rules.map((rule: Body) => rule.expr)),
    ];
    const scrape = await createMetrics({ version: '0' }).scrape();
    const known = new Set(scrape.match(/(?<=^# HELP )\S+/gm));
    const named = new Set(expressions.flatMap((text) => text.match(/\b(?:[a-z]+_)+[a-z0-9]+(?=[[{ )]|$)/g) ?? []));
    const missing = [...named].filter((name) => !FUNCTIONS.has(name) && !known.has(name.replace(/_(bucket|count)$/, '')));
    expect(missing).toEqual([]);
    expect(named.size).toBeGreaterThan(35);
  });
});

/** What looks like a metric in PromQL. */
const FUNCTIONS = new Set(['status_class', 'exported_job']);

describe('a real Prometheus over two instances', () => {
  let database: TestDatabase;
  let instances: readonly ServiceProcess[];
  let prometheus: Prometheus;
  beforeAll(async () => {
    database = await createTestDatabase();
    const environment = isolatedEnvironment({ DATABASE_URL: database.url, EMBEDDED_WORKER: 'false' });
    instances = await Promise.all([startServiceProcess({ environment }), startServiceProcess({ environment })]);
    prometheus = await startPrometheus({
      targets: instances.map(({ url }) => new URL(url).host),
      ruleFiles: [`${OPS}alert-rules.yml`],
    });
  }, 120_000);
  afterAll(async () => {
    await prometheus.close();
    await Promise.all(instances.map((instance) => instance.kill()));
    await database.close();
  });

  const until = (expression: string) =>
    expect.poll(async () => (await prometheus.query(expression)).map(({ value }) => value), { timeout: 20_000 });

  it('sees both, what they are and that they are ready', async () => {
    await until('up{job="chainfolio"}').toEqual([1, 1]);
    await until('service_ready').toEqual([1, 1]);
    await until('database_up').toEqual([1, 1]);
    const [build] = await prometheus.query('build_info');
    expect(build?.labels).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: expect.stringMatching(/^24\./),
    });
  });

  it('adds up what each of them served', async () => {
    const [first, second] = instances;
    for (let index = 0; index < 7; index += 1) await fetch(`${first?.url}/api/v1/chains`);
    for (let index = 0; index < 5; index += 1) await fetch(`${second?.url}/api/v1/chains`);
    await until('sum(http_requests_total{route="/api/v1/chains",status_class="2xx"})').toEqual([12]);
  });

  it('evaluates every rule without an error', async () => {
    const rules = async () => {
      const { data } = await prometheus.get('/api/v1/rules');
      return data.groups.flatMap((group: Body) => group.rules);
    };
    await expect.poll(async () => (await rules()).every(({ health }: Body) => health === 'ok'), { timeout: 20_000 }).toBe(true);
  });

  it('finds names and types as they should be', async () => {
    const scrape = await (await fetch(`${instances[0]?.url}/metrics`)).text();
    expect(await promtool(['check', 'metrics'], scrape)).toBe('');
    const again = await fetch(`${instances[0]?.url}/api/v1/metrics`);
    expect(again.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect((await again.text()).match(/^# TYPE .*$/gm)).toEqual(scrape.match(/^# TYPE .*$/gm));
  });

  it('sees one that is gone, and goes on with the other', async () => {
    await instances[0]?.kill();
    await until('sum(up{job="chainfolio"})').toEqual([1]);
    await until('count(ALERTS{alertname="ChainfolioDown"})').toEqual([1]);
  });
});
