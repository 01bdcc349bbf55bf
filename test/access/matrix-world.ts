import { createKeyStore } from '../../src/db/access/key-store.ts';
import { SCOPES, type Scope } from '../../src/domain/access.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { createKeyService } from '../../src/services/access/key-service.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../support/store-fixtures.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

export type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';
export type Sent = { readonly path: string; readonly body?: object | string; readonly type?: string };
export type Answer = { readonly status: number; readonly text: string };

/** A service that asks for keys, and keys of two of its tenants. */
export type World = {
  readonly stack: TestStack;
  /** A token that nobody has added yet. */
  readonly token: string;
  /** A key for each scope alone. */
  readonly keys: ReadonlyMap<Scope, string>;
  /** May do everything with what another tenant has. */
  readonly stranger: string;
  call(method: Method, sent: Sent, key: string | null): Promise<Answer>;
  /** As the tenant's admin; fails unless it went well. */
  make(path: string, body?: object): Promise<Body>;
  close(): Promise<void>;
};

export async function startWorld(): Promise<World> {
  const stack = await startTestStack(async () => ({
    API_KEYS_REQUIRED: 'true',
    OUTBOUND_ALLOW: '127.0.0.1',
  }));
  await addOtherTenant(stack.database.db);
  const service = createKeyService({ store: createKeyStore(stack.database.tenants), now: () => new Date() });
  const makeKey = async (tenantId: string, scope: Scope): Promise<string> =>
    (await service.create(tenantId, { name: scope, scopes: [scope], expiresAt: null })).text;
  const keys = new Map<Scope, string>();
  for (const scope of SCOPES) keys.set(scope, await makeKey(DEFAULT_TENANT_ID, scope));
  const stranger = await makeKey(OTHER_TENANT_ID, 'admin');
  const call: World['call'] = async (method, { path, body, type = 'application/json' }, key) => {
    const response = await fetch(`${stack.url}/api/v1${path}`, {
      method: method.toUpperCase(),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    // A stream has no end: its head is what counts.
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body?.cancel();
      return { status: response.status, text: '' };
    }
    return { status: response.status, text: await response.text() };
  };
  return {
    stack,
    token: await stack.ethereum.deploy('Token', ['string', 'string', 'uint8'], ['Odd', 'ODD', 6]),
    keys,
    stranger,
    call,
    async make(path, body = {}) {
      const { status, text } = await call('post', { path, body }, keys.get('admin') ?? null);
      if (status >= 300) throw new Error(`POST ${path} answered ${status}: ${text}`);
      return JSON.parse(text);
    },
    close: () => stack.close(),
  };
}
