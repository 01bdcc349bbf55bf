import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');

const locked = z.object({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  optional: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  hasInstallScript: z.boolean().optional(),
});
const { packages } = z.object({ packages: z.record(z.string(), locked) }).parse(JSON.parse(read('package-lock.json')));
const manifest = z
  .object({
    allowScripts: z.record(z.string(), z.boolean()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')));
const installed = Object.entries(packages).filter(([place]) => place !== '');

describe('the lock file', () => {
  it('takes every package from the registry, by its hash', () => {
    for (const [place, { resolved, integrity, optional, os }] of installed) {
      // Where nothing else is named, it is the registry.
      if (resolved !== undefined) expect(resolved, place).toMatch(/^https:\/\/registry\.npmjs\.org\//);
      // Those of other platforms that the registry did not carry are skipped everywhere else.
      const isSkipped = optional === true && os !== undefined && integrity === undefined;
      if (!isSkipped) expect(integrity, place).toMatch(/^sha512-/);
    }
    expect(installed.filter(([, { integrity }]) => integrity !== undefined).length).toBeGreaterThan(300);
  });

  it('is asked for exact versions', () => {
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  });
});

describe('install scripts', () => {
  it('run only where package.json allows them, and it knows of each', () => {
    const nameOf = (place: string): string => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const withScripts = installed.flatMap(([place, { hasInstallScript }]) => (hasInstallScript ? [nameOf(place)] : []));
    expect(Object.keys(manifest.allowScripts).toSorted()).toEqual([...new Set(withScripts)].toSorted());
    expect(read('.npmrc')).toMatch(/^strict-allow-scripts=true$/m);
  });

  it('do not run at all in the image, which is made from the lock file alone', () => {
    const steps = read('Dockerfile').match(/npm (ci|i|install|add|exec)\b[^&\n]*|\bnpx\b/g);
    expect(steps).toHaveLength(1);
    expect(steps?.[0]).toMatch(/^npm ci .*--ignore-scripts/);
    expect(read('.ci/run').match(/npm (ci|i|install|add|exec)\b|\bnpx\b/g)).toEqual(['npm ci']);
  });
});

it('the bill of materials names what the service runs on, and marks what only builds and tests it', async () => {
  const cwd = new URL('..', import.meta.url);
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { cwd, maxBuffer: 64 * 1024 * 1024 });
  const property = z.object({ name: z.string(), value: z.string() });
  const component = z.object({ name: z.string(), version: z.string(), properties: z.array(property) });
  const { components } = z
    .object({ bomFormat: z.literal('CycloneDX'), components: z.array(component) })
    .parse(JSON.parse(stdout));
  const isForDevelopment = (name: string): boolean[] =>
    components
      .filter((entry) => entry.name === name)
      .map(({ properties }) => properties.some((mark) => mark.name === 'cdx:npm:package:development' && mark.value === 'true'));
  for (const name of Object.keys(manifest.dependencies)) expect(isForDevelopment(name), name).toContain(false);
  expect(isForDevelopment('vitest')).toEqual([true]);
});
