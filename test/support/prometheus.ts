import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { requireProgram } from './debian-package.ts';
import type { Body } from './test-stack.ts';

/** A real Prometheus that scrapes every second. */
export type Prometheus = {
  /** The samples of a PromQL expression now, by their labels. */
  query(expression: string): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]>;
  get(path: string): Promise<Body>;
  close(): Promise<void>;
};

type PrometheusOptions = { readonly targets: readonly string[]; readonly ruleFiles: readonly string[] };

/** Starts `prometheus` on a free port with these `host:port` targets, and waits until it answers. */
export async function startPrometheus({ targets, ruleFiles }: PrometheusOptions): Promise<Prometheus> {
  await requireProgram('prometheus', 'prometheus');
  const dir = mkdtempSync(join(tmpdir(), 'chainfolio-prometheus-'));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'chainfolio', sample_limit: 5000, static_configs: [{ targets }] }],
  };
  writeFileSync(join(dir, 'prometheus.yml'), stringify(config));
  const child = spawn(
    'prometheus',
    [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`, '--web.listen-address=127.0.0.1:0'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.once('exit', () => reject(new Error(`prometheus ended: ${output}`)));
    child.once('error', reject);
    child.stderr.on('data', (part) => {
      output += part;
      const address = /Listening on.*address=(\S+)/.exec(output)?.[1];
      if (address !== undefined && output.includes('Server is ready')) resolve(`http://${address}`);
    });
  });
  const get = async (path: string): Promise<Body> => (await fetch(url + path)).json();
  return {
    get,
    async query(expression) {
      const { data } = await get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
      return data.result.map(({ metric, value }: Body) => ({ labels: metric, value: Number(value[1]) }));
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Runs `promtool`. What it prints; throws with that when it finds a fault. */
export async function promtool(args: readonly string[], input = ''): Promise<string> {
  await requireProgram('promtool', 'prometheus');
  return execFileSync('promtool', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}
