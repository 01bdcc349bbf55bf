import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';

/** After this long an endpoint that refused something is asked for it again. */
const FORGET_AFTER_MS = 10 * 60_000;

/** What was learnt about an endpoint; undefined when it was never, or too long ago. */
export function recall(endpoint: RpcEndpoint, key: string): unknown {
  const entry = endpoint.learnt.get(key);
  return isEntry(entry) && entry.until > Date.now() ? entry.value : undefined;
}

/** Remembers something about an endpoint until it is time to find it out again. */
export function learn(endpoint: RpcEndpoint, key: string, value: unknown): void {
  endpoint.learnt.set(key, { value, until: Date.now() + FORGET_AFTER_MS });
}

function isEntry(value: unknown): value is { value: unknown; until: number } {
  return typeof value === 'object' && value !== null && 'value' in value && 'until' in value && typeof value.until === 'number';
}
