import { AppError } from '../../domain/errors.ts';

/** One account as an endpoint tells it: `program` is what Solana calls its owner. */
export type RpcAccount = { readonly address: string; readonly lamports: bigint; readonly program: string; readonly data: Buffer };

/** Reads a list of accounts in the order asked, null where there is none. Throws upstream_malformed for anything else. */
export function parseAccounts(value: unknown, addresses: readonly string[], provider: string): readonly (RpcAccount | null)[] {
  if (!Array.isArray(value) || value.length !== addresses.length) throw malformed(provider);
  return addresses.map((address, index) => {
    const raw: unknown = value[index];
    return raw === null ? null : parseAccount(address, raw, provider);
  });
}

/** Reads a list of accounts that all belong to one program. Throws upstream_malformed for anything else, and for an account told twice. */
export function parseKeyedAccounts(value: unknown, program: string, provider: string): readonly RpcAccount[] {
  if (!Array.isArray(value)) throw malformed(provider);
  const seen = new Set<string>();
  return value.map((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.pubkey !== 'string' || seen.has(entry.pubkey)) throw malformed(provider);
    seen.add(entry.pubkey);
    const account = parseAccount(entry.pubkey, entry.account, provider);
    if (account.program !== program) throw malformed(provider);
    return account;
  });
}

function parseAccount(address: string, raw: unknown, provider: string): RpcAccount {
  if (!isRecord(raw) || typeof raw.owner !== 'string' || !Array.isArray(raw.data)) throw malformed(provider);
  const { lamports, owner } = raw;
  const [encoded, encoding]: unknown[] = raw.data;
  if (typeof lamports !== 'bigint' || lamports < 0n || typeof encoded !== 'string' || encoding !== 'base64') {
    throw malformed(provider);
  }
  const data = Buffer.from(encoded, 'base64');
  // Buffer takes any text for base64 and leaves out what is none.
  if (data.toString('base64') !== encoded) throw malformed(provider);
  return { address, lamports, program: owner, data };
}

/** The error for an answer that is not what was asked for. */
export function malformed(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent an answer of another shape.`, { provider });
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
