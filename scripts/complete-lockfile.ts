import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * Adds to package-lock.json the optional packages of other platforms that the registry did not carry when the lock was made: `npm run lock`
 * after a change of dependencies. npm leaves such packages out, and `npm ci` then refuses the lock on every machine. An entry needs no more than
 * a version and the platform, by which all other machines skip it.
 */
const LOCK = new URL('../package-lock.json', import.meta.url);

// Records, so that every key stays where npm put it.
const record = z.record(z.string(), z.unknown());
const lock = record.parse(JSON.parse(readFileSync(LOCK, 'utf8')));
const packages = record.parse(lock.packages);
const entrySchema = z.object({ dev: z.boolean().optional(), optionalDependencies: z.record(z.string(), z.string()).default({}) });

const OS = /(android|darwin|freebsd|linux|openharmony|win32|aix|sunos|netbsd|openbsd)/;
const CPU = /(arm64|arm|x64|amd64|ia32|ppc64|riscv64|s390x|loong64|mips64el|wasm32)/;

const added: string[] = [];
for (const entry of Object.values(packages)) {
  const { dev, optionalDependencies } = entrySchema.parse(entry);
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const place = `node_modules/${name}`;
    const platform = name.slice(name.lastIndexOf('/') + 1);
    const [os] = OS.exec(platform) ?? [];
    const [cpu] = CPU.exec(platform) ?? [];
    if (packages[place] !== undefined || os === undefined || cpu === undefined) continue;
    if (!/^\d/.test(version)) throw new Error(`${name}@${version} is no exact version.`);
    const libc = os === 'linux' ? { libc: [platform.includes('musl') ? 'musl' : 'glibc'] } : {};
    packages[place] = {
      version,
      cpu: [cpu === 'amd64' ? 'x64' : cpu],
      ...(dev === undefined ? {} : { dev }),
      ...libc,
      optional: true,
      os: [os],
    };
    added.push(place);
  }
}
const sorted = Object.fromEntries(Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(LOCK, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`);
console.log(`${added.length} added`);
