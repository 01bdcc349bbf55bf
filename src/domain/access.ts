/**
 * What a key may be allowed. `read:values` holds `read:percent`, and `admin` holds all; `write` opens no read, but
 * the answers to writes tell what was written to in full, the value that an alert found included: it is no scope for those who may see percentages only.
 */
export const SCOPES = ['read:percent', 'read:values', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who may use an operation: every key, or those with a scope. */
export type Access = 'any_key' | Scope;

/** On whose behalf a request comes. */
export type Principal = {
  readonly tenantId: string;
  /** null where no keys are asked for. */
  readonly keyId: string | null;
  readonly scopes: ReadonlySet<Scope>;
};

/** What each scope allows. */
const HELD: Readonly<Record<Scope, readonly Scope[]>> = {
  'read:percent': ['read:percent'],
  'read:values': ['read:values', 'read:percent'],
  write: ['write'],
  admin: SCOPES,
};

/** The scopes given and all that they hold. */
export function withHeldScopes(scopes: Iterable<Scope>): ReadonlySet<Scope> {
  return new Set([...scopes].flatMap((scope) => HELD[scope]));
}

/** Whether a principal may use an operation. */
export function mayUse({ scopes }: Pick<Principal, 'scopes'>, access: Access): boolean {
  return access === 'any_key' || scopes.has(access);
}
