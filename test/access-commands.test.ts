import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeyStore } from '../src/db/access/key-store.ts';
import { parseKey } from '../src/domain/api-key.ts';
import { createKeyService } from '../src/services/access/key-service.ts';
import { isolatedEnvironment, runScript } from './support/service-process.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function run(script: 'keys' | 'tenants', ...args: string[]): Promise<string> {
  const { code, output } = await runScript(script, { environment: isolatedEnvironment({ DATABASE_URL: database.url }), args });
  return code === 0 ? output : `failed: ${output}`;
}

const keyIn = (output: string): string => /cpf_\w{62}/.exec(output)?.[0] ?? '';

describe('the operator', { timeout: 180_000 }, () => {
  it('makes a tenant, gives it keys, and takes them away', async () => {
    expect(await run('tenants', 'create', 'alice')).toContain('Created: alice');
    const made = await run(
      'keys',
      'create',
      '--tenant',
      'alice',
      '--name',
      'phone',
      '--scopes',
      'write,read:values',
      '--expires',
      '2999-01-01',
    );
    const text = keyIn(made);
    const id = parseKey(text)?.id ?? '';
    expect(made).toContain(`Made the key ${id} (phone) with read:values, write, until 2999-01-01T00:00:00.000Z`);

    const check = () => createKeyService({ store: createKeyStore(database.tenants), now: () => new Date() });
    const principal = await check().authenticate(text, () => undefined);
    expect([...principal.scopes].sort()).toEqual(['read:percent', 'read:values', 'write']);
    expect(await run('tenants', 'list')).toMatch(new RegExp(`^alice +0 +1 .*${principal.tenantId}$`, 'm'));

    const next = keyIn(await run('keys', 'rotate', id, '--tenant', 'alice', '--overlap', '0'));
    await expect(check().authenticate(text, () => undefined)).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await check().authenticate(next, () => undefined)).tenantId).toBe(principal.tenantId);

    const nextId = parseKey(next)?.id ?? '';
    expect(await run('keys', 'revoke', nextId, '--tenant', 'alice')).toBe(`Revoked: ${nextId}`);
    const list = await run('keys', 'list', '--tenant', 'alice');
    expect(list).toMatch(new RegExp(`^${nextId} +revoked +read:values,write .*phone$`, 'm'));
    expect(list).toMatch(new RegExp(`^${id} +expired `, 'm'));
    expect(list).not.toContain('cpf_');
    expect(await run('keys', 'list')).toBe('There are no keys.');
  });

  it('renames a tenant, and deletes it when that is meant', async () => {
    await run('tenants', 'create', 'bob');
    expect(await run('tenants', 'rename', 'bob', 'robert')).toBe('Renamed: bob is robert now');
    expect(await run('tenants', 'delete', 'robert')).toMatch(/^failed: This deletes all .*--yes/);
    expect(await run('tenants', 'delete', 'robert', '--yes')).toBe('Deleted: robert');
    expect(await run('keys', 'list', '--tenant', 'robert')).toMatch(/^failed: There is no tenant robert/);
  });

  it('is told in a line what is wrong', async () => {
    const mistakes: readonly (readonly ['keys' | 'tenants', readonly string[], RegExp])[] = [
      ['keys', ['create', '--name', 'a'], /Usage/],
      ['keys', ['create', '--name', 'a', '--scopes', 'root'], /--scopes: a comma-separated list/],
      ['keys', ['create', '--name', 'a', '--scopes', 'write', '--expires', '2020-01-01'], /A key ends in the future/],
      ['keys', ['revoke', 'AAAAAAAAAAAA'], /There is no key of this id/],
      ['tenants', ['create', 'a b'], /A name is/],
      ['tenants', ['delete', 'default', '--yes'], /owner of the service/],
    ];
    const told = await Promise.all(mistakes.map(([script, args]) => run(script, ...args)));
    for (const [index, [, , message]] of mistakes.entries()) expect(told[index]).toMatch(message);
  });
});
