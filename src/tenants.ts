import { parseArgs } from 'node:util';
import { runCommand, toTable } from './command-line.ts';
import { withDatabase } from './compose/compose-upkeep.ts';
import { loadConfig } from './config.ts';
import { createQuotaStore, type QuotaChanges, type QuotaStore } from './db/access/quota-store.ts';
import { createTenantStore, type Tenant, type TenantStore } from './db/access/tenant-store.ts';
import type { Quotas } from './domain/quotas.ts';
import { DEFAULT_TENANT_ID } from './domain/tenant.ts';
import { StartupError } from './lib/startup-error.ts';

const USAGE = `Usage: npm run tenants -- list
       npm run tenants -- create <name>
       npm run tenants -- rename <name> <new name>
       npm run tenants -- delete <name> --yes    with all its wallets, history and keys
       npm run tenants -- quota <name> [--wallets N] [--requests N] [--refreshes N]
                                                 points a minute, refreshes an hour; N or the word default`;

type Arguments = ReturnType<typeof readArguments>;

await runCommand(async () => {
  const args = readArguments(process.argv.slice(2));
  const config = loadConfig();
  return withDatabase(config, { mayShare: true }, async (db) => {
    const store = createTenantStore(db);
    if (args.command === 'quota') return setQuotas(args, { store, quotas: createQuotaStore(db), defaults: config.quotas });
    return run(args, store);
  });
});

function readArguments(args: readonly string[]) {
  try {
    const options = {
      yes: { type: 'boolean', default: false },
      wallets: { type: 'string' },
      requests: { type: 'string' },
      refreshes: { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command = '', ...names] = positionals;
    return { ...values, command, names };
  } catch {
    throw new StartupError(USAGE);
  }
}

async function run({ command, names: [name, other, ...rest], yes }: Arguments, store: TenantStore): Promise<string> {
  if (rest.length > 0) throw new StartupError(USAGE);
  if (command === 'list' && name === undefined) return describeTenants(store);
  if (command === 'create' && name !== undefined && other === undefined) {
    if ((await store.create(readName(name))) === undefined) throw new StartupError(`There is a tenant ${name} already.`);
    return `Created: ${name}. Give it a key: npm run keys -- create --tenant ${name} --name <name> --scopes admin`;
  }
  if (command === 'rename' && name !== undefined && other !== undefined) {
    const { id } = await find(store, name);
    if ((await store.rename(id, readName(other))) === undefined) throw new StartupError(`There is a tenant ${other} already.`);
    return `Renamed: ${name} is ${other} now`;
  }
  if (command === 'delete' && name !== undefined && other === undefined) return remove(store, { name, yes });
  throw new StartupError(USAGE);
}

async function describeTenants(store: TenantStore): Promise<string> {
  const rows = (await store.list()).map(({ id, name, createdAt, wallets, usableKeys }) => [
    name,
    String(wallets),
    String(usableKeys),
    createdAt.toISOString(),
    id,
  ]);
  return toTable([['NAME', 'WALLETS', 'KEYS', 'CREATED', 'ID'], ...rows]);
}

async function remove(store: TenantStore, { name, yes }: { readonly name: string; readonly yes: boolean }): Promise<string> {
  const { id } = await find(store, name);
  if (id === DEFAULT_TENANT_ID) throw new StartupError('The first tenant is the owner of the service and stays.');
  if (!yes) throw new StartupError(`This deletes all that ${name} has, for good. Say --yes if you mean it.`);
  await store.delete(id);
  return `Deleted: ${name}`;
}

async function find(store: TenantStore, name: string): Promise<Tenant> {
  const tenant = await store.findByName(name);
  if (tenant === undefined) throw new StartupError(`There is no tenant ${name}: see npm run tenants -- list`);
  return tenant;
}

type QuotaParts = { readonly store: TenantStore; readonly quotas: QuotaStore; readonly defaults: Quotas };

/** Sets what is named, and tells what holds then. */
async function setQuotas(args: Arguments, { store, quotas, defaults }: QuotaParts): Promise<string> {
  const [name, ...rest] = args.names;
  if (name === undefined || rest.length > 0) throw new StartupError(USAGE);
  const { id } = await find(store, name);
  const changes = {
    ...readQuota('wallets', args.wallets),
    ...readQuota('requestsPerMinute', args.requests),
    ...readQuota('refreshesPerHour', args.refreshes),
  };
  if (Object.keys(changes).length > 0) await quotas.set(id, changes);
  const own = await quotas.get(id);
  const tell = (quota: keyof Quotas): string =>
    `${own[quota] ?? defaults[quota] ?? 'no limit'}${quota in own ? '' : ' (default)'}`;
  return toTable([
    ['WALLETS', 'REQUESTS A MINUTE', 'REFRESHES AN HOUR'],
    [tell('wallets'), tell('requestsPerMinute'), tell('refreshesPerHour')],
  ]);
}

function readQuota(quota: keyof Quotas, text: string | undefined): QuotaChanges {
  if (text === undefined) return {};
  if (text === 'default') return { [quota]: null };
  const least = quota === 'requestsPerMinute' ? 1 : 0;
  if (!/^\d{1,8}$/.test(text) || Number(text) < least)
    throw new StartupError(`A quota is a whole number of at least ${least}, or default.`);
  return { [quota]: Number(text) };
}

/** A name that a shell takes as it is. */
function readName(text: string): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,62}$/u.test(text)) {
    throw new StartupError('A name is 1 to 63 letters, digits, points, hyphens and underscores.');
  }
  return text;
}
