import { parseArgs } from 'node:util';
import { runCommand, toTable } from './command-line.ts';
import { withDatabase } from './compose/compose-upkeep.ts';
import { loadConfig } from './config.ts';
import { createKeyStore } from './db/access/key-store.ts';
import { createTenantStore } from './db/access/tenant-store.ts';
import { SCOPES, type Scope } from './domain/access.ts';
import { type ApiKey, statusOfKey } from './domain/api-key.ts';
import { StartupError } from './lib/startup-error.ts';
import { type CreatedKey, createKeyService, type KeyService } from './services/access/key-service.ts';

const USAGE = `Usage: npm run keys -- list                                                [--tenant <name>]
       npm run keys -- create --name <name> --scopes <scope,...> [--expires <date>] [--tenant <name>]
       npm run keys -- rotate <id> [--overlap <hours>]                     [--tenant <name>]
       npm run keys -- revoke <id>                                         [--tenant <name>]
Scopes: ${SCOPES.join(', ')}. A key is shown once, when it is made.`;
const DEFAULT_OVERLAP_HOURS = 24;
const MAX_OVERLAP_HOURS = 720;

type Arguments = ReturnType<typeof readArguments>;
type Keys = { readonly service: KeyService; readonly tenantId: string };

await runCommand(async () => {
  const args = readArguments(process.argv.slice(2));
  return withDatabase(loadConfig(), { mayShare: true }, async (db) => {
    const tenant = await createTenantStore(db).findByName(args.tenant);
    if (tenant === undefined) throw new StartupError(`There is no tenant ${args.tenant}: see npm run tenants -- list`);
    const service = createKeyService({ store: createKeyStore(db), now: () => new Date() });
    return run(args, { service, tenantId: tenant.id });
  });
});

function readArguments(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = { name: text, scopes: text, expires: text, overlap: text, tenant: { ...text, default: 'default' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, id, ...rest] = positionals;
    if (rest.length > 0) throw new StartupError(USAGE);
    return { ...values, command, id };
  } catch {
    throw new StartupError(USAGE);
  }
}

async function run(args: Arguments, { service, tenantId }: Keys): Promise<string> {
  const { command, id, name, scopes } = args;
  if (command === 'list' && id === undefined) return describeKeys(await service.list(tenantId));
  if (command === 'create' && id === undefined && name !== undefined && scopes !== undefined) {
    const input = { name: readName(name), scopes: readScopes(scopes), expiresAt: readExpiry(args.expires) };
    return show(await service.create(tenantId, input));
  }
  if (command === 'rotate' && id !== undefined) return show(await service.rotate(tenantId, id, readOverlap(args.overlap) * 3600));
  if (command === 'revoke' && id !== undefined) {
    await service.revoke(tenantId, id);
    return `Revoked: ${id}`;
  }
  throw new StartupError(USAGE);
}

/** The key alone goes to the standard output, for scripts. */
function show({ key, text }: CreatedKey): string {
  const end = key.expiresAt === null ? 'until it is revoked' : `until ${key.expiresAt.toISOString()}`;
  process.stderr.write(`Made the key ${key.id} (${key.name}) with ${key.scopes.join(', ')}, ${end}. It is shown this once:\n`);
  return text;
}

function describeKeys(keys: readonly ApiKey[]): string {
  if (keys.length === 0) return 'There are no keys.';
  const rows = keys.map((key) => [
    key.id,
    statusOfKey(key, new Date()),
    key.scopes.join(','),
    key.createdAt.toISOString(),
    key.expiresAt?.toISOString() ?? '-',
    key.lastUsedAt?.toISOString() ?? '-',
    key.name,
  ]);
  return toTable([['ID', 'STATUS', 'SCOPES', 'CREATED', 'EXPIRES', 'LAST USED', 'NAME'], ...rows]);
}

function readName(text: string): string {
  const name = text.trim();
  if (name === '' || name.length > 100 || /[\p{Cc}\p{Cs}]/u.test(name)) throw new StartupError('--name: 1 to 100 characters');
  return name;
}

function readScopes(text: string): readonly Scope[] {
  const names = [...new Set(text.split(',').map((part) => part.trim()))];
  const scopes = SCOPES.filter((scope) => names.includes(scope));
  if (scopes.length !== names.length) throw new StartupError(`--scopes: a comma-separated list out of ${SCOPES.join(', ')}`);
  return scopes;
}

function readExpiry(text: string | undefined): Date | null {
  if (text === undefined) return null;
  const end = new Date(text);
  if (!/^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) || Number.isNaN(end.getTime())) {
    throw new StartupError('--expires: a date such as 2027-11-21, or a time such as 2027-11-21T12:00:00Z');
  }
  return end;
}

function readOverlap(text: string | undefined): number {
  const hours = text === undefined ? DEFAULT_OVERLAP_HOURS : Number(text);
  if (!(hours >= 0 && hours <= MAX_OVERLAP_HOURS)) throw new StartupError(`--overlap: hours, from 0 to ${MAX_OVERLAP_HOURS}`);
  return hours;
}
