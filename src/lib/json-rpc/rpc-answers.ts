import { AppError } from '../../domain/errors.ts';
import { parseBigIntJson } from '../bigint-json.ts';
import type { RpcItem } from './rpc-endpoint.ts';
import { type RpcFamily, toRpcError } from './rpc-errors.ts';

/** Whose answers are read. */
export type Answerer = { readonly family: RpcFamily; readonly name: string };

/** Parses a body; undefined for what is not JSON. Solana's whole numbers are 64-bit and become bigint; EVM answers hold theirs in strings. */
export function parseAnswer(family: RpcFamily, text: string): unknown {
  if (family === 'solana') return parseBigIntJson(text);
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The result or the error of one answer. */
export function readItem({ family, name }: Answerer, answer: unknown): RpcItem {
  if (!isRecord(answer)) return { ok: false, error: malformed(name, 'no JSON-RPC answer') };
  const { error, result } = answer;
  if (isRecord(error)) {
    const message = typeof error.message === 'string' ? error.message : '';
    return { ok: false, error: toRpcError(family, name, { code: Number(error.code ?? 0), message }) };
  }
  // Gateways in front of a node have their own idea of an error.
  if (typeof error === 'string') return { ok: false, error: toRpcError(family, name, { code: 0, message: error }) };
  if (result === undefined) return { ok: false, error: malformed(name, 'neither result nor error') };
  return { ok: true, value: result };
}

/** Answers by the ids 1 to `count`, in that order; one that is missing, doubled or strange is an error of its own. */
export function matchById(answerer: Answerer, answers: readonly unknown[], count: number): readonly RpcItem[] {
  const byId = new Map<number, unknown>();
  const doubled = new Set<number>();
  for (const answer of answers) {
    const id = idOf(answer);
    if (byId.has(id)) doubled.add(id);
    byId.set(id, answer);
  }
  return Array.from({ length: count }, (_, index): RpcItem => {
    const id = index + 1;
    if (!byId.has(id)) return { ok: false, error: malformed(answerer.name, 'no answer to one of the calls') };
    if (doubled.has(id)) return { ok: false, error: malformed(answerer.name, 'two answers to one call') };
    return readItem(answerer, byId.get(id));
  });
}

/** The id of an answer; NaN for none, or one of another kind. Some servers write numbers as text. */
export function idOf(answer: unknown): number {
  const id = isRecord(answer) ? answer.id : undefined;
  return typeof id === 'number' || typeof id === 'bigint' || typeof id === 'string' ? Number(id) : Number.NaN;
}

/** The error of an answer that makes no sense. `what` completes "the endpoint sent". */
export function malformed(provider: string, what: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent ${what}.`, { provider });
}

/** Whether an answer says that something failed, in whichever form. */
export function holdsError(answer: unknown): boolean {
  return isRecord(answer) && (isRecord(answer.error) || typeof answer.error === 'string');
}

/**
 * Whether the status of an answer says more than its body. A status that means something of its own does, but for one: hosts refuse questions about the past under the status of a wrong
 * key, and serve everything else.
 */
export function outranksBody(answerer: Answerer, status: AppError, answer: unknown): boolean {
  if (status.code === 'upstream_status') return !holdsError(answer);
  const first: unknown = Array.isArray(answer) ? answer[0] : answer;
  if (status.code !== 'upstream_unauthorized' || !holdsError(first)) return true;
  const item = readItem(answerer, first);
  return item.ok || item.error.code !== 'upstream_no_history';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
