import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

type Transaction = { readonly to?: string; readonly data: string };
export type ProxiedCall = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };
type Answer = { readonly result: unknown } | { readonly error: { readonly code: number; readonly message: string } } | 'hang';

/** A JSON-RPC proxy in front of a real node that counts, and answers in the node's place where `intercept` says so. */
export type RpcProxy = {
  readonly url: string;
  /** HTTP requests since the start or the last reset. */
  requests: number;
  calls: ProxiedCall[];
  intercept: (call: ProxiedCall) => Answer | undefined;
  close(): Promise<void>;
};

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const answerOne = async (call: ProxiedCall): Promise<unknown> => {
    proxy.calls.push(call);
    const own = proxy.intercept(call);
    if (own === 'hang') return new Promise(() => {});
    if (own !== undefined) return { jsonrpc: '2.0', id: call.id, ...own };
    const headers = { 'content-type': 'application/json' };
    return (await fetch(target, { method: 'POST', headers, body: JSON.stringify(call) })).json();
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    proxy.requests += 1;
    const payload = JSON.parse(body);
    const answer = Array.isArray(payload) ? await Promise.all(payload.map(answerOne)) : await answerOne(payload);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    calls: [],
    intercept: () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** Refuses what an endpoint below this rung of the ladder cannot do. */
export function onlyFrom(rung: 'override' | 'deployless' | 'multicall' | 'single'): RpcProxy['intercept'] {
  const level = ['override', 'deployless', 'multicall', 'single'].indexOf(rung);
  return ({ method, params }) => {
    if (method !== 'eth_call') return undefined;
    if (level >= 1 && params.length > 2) return { error: { code: -32602, message: 'too many arguments, want at most 2' } };
    if (level >= 2 && toOf(params) === undefined) return { error: { code: -32000, message: 'missing to address' } };
    if (level >= 3 && toOf(params) === '0xca11bde05977b3631167028862be2a173976ca11') return { result: '0x' };
    return undefined;
  };
}

/** Lower-case address that a call goes to; undefined for one without a recipient. */
export function toOf(params: readonly unknown[]): string | undefined {
  return (params[0] as Transaction).to?.toLowerCase();
}
