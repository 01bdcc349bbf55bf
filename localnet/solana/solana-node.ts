import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { EncodedAccount } from '@solana/kit';
import { type Address, address, getAddressEncoder } from '@solana/kit';
import { z } from 'zod';
import { answerHistory } from './history-methods.ts';
import { createLocalSvm, type LocalSvm } from './local-svm.ts';
import { RpcError } from './rpc-error.ts';

/** A Solana JSON-RPC server of our own over the real VM. */
export type SolanaNode = LocalSvm & {
  readonly rpcUrl: string;
  /** Public endpoints refuse `getProgramAccounts`; ours does when told. */
  setProgramSearch(isAllowed: boolean): void;
  /** Forgets the transactions and times of earlier slots, as nodes without an archive do. */
  setFirstAvailable(slot: bigint): void;
  /** Calls answered so far, batches counted once each. */
  requests(): number;
  stop(): Promise<void>;
};

const MAX_ACCOUNTS = 100;
/** As the real node. */
const MAX_BODY_BYTES = 50 * 1024;

const callSchema = z.object({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.number(), z.string()]),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});
const configSchema = z
  .object({
    encoding: z.literal('base64').optional(),
    commitment: z.string().optional(),
    minContextSlot: z.number().optional(),
    withContext: z.boolean().optional(),
    dataSlice: z.object({ offset: z.number(), length: z.number() }).optional(),
    filters: z
      .array(z.object({ memcmp: z.object({ offset: z.number(), bytes: z.string(), encoding: z.literal('base58').optional() }) }))
      .optional(),
  })
  .default({});
type Config = z.infer<typeof configSchema>;

type NodeState = { readonly local: LocalSvm; readonly genesisHash: string; allowsSearch: boolean; firstAvailable: bigint };

/** Starts the server on a port of this machine, a free one unless told. It says it is the cluster of `genesisHash`. */
export async function startSolanaNode({
  genesisHash,
  port = 0,
  unixSeconds = BigInt(Math.floor(Date.now() / 1000)),
}: {
  readonly genesisHash: string;
  readonly port?: number;
  readonly unixSeconds?: bigint;
}): Promise<SolanaNode> {
  const state: NodeState = { local: await createLocalSvm(unixSeconds), genesisHash, allowsSearch: true, firstAvailable: 0n };
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    readBody(request).then(
      (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(serve(state, body)),
      () => response.writeHead(413).end(),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return {
    ...state.local,
    rpcUrl: `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : port}`,
    setProgramSearch(isAllowed) {
      state.allowsSearch = isAllowed;
    },
    setFirstAvailable(slot) {
      state.firstAvailable = slot;
    },
    requests: () => requests,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) {
    body += part;
    if (body.length > MAX_BODY_BYTES) throw new Error('too large');
  }
  return body;
}

function serve(state: NodeState, body: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return '{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}';
  }
  return Array.isArray(parsed) ? `[${parsed.map((call) => serveOne(state, call)).join(',')}]` : serveOne(state, parsed);
}

function serveOne(state: NodeState, raw: unknown): string {
  const call = callSchema.safeParse(raw);
  if (!call.success) return '{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request"},"id":null}';
  const { id, method, params } = call.data;
  const head = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},`;
  try {
    return `${head}"result":${toJson(answer(state, method, params))}}`;
  } catch (error) {
    const fault = error instanceof RpcError ? error.fault : { code: -32602, message: 'Invalid params' };
    return `${head}"error":${JSON.stringify(fault)}}`;
  }
}

/** JSON with 64-bit integers written out as the real node does. */
function toJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`)
      .join(',')}}`;
  }
  return JSON.stringify(value);
}

function answer(state: NodeState, method: string, params: readonly unknown[]): unknown {
  const { local } = state;
  switch (method) {
    case 'getHealth':
      return 'ok';
    case 'getVersion':
      return { 'solana-core': '3.0.0', 'feature-set': 1 };
    case 'getGenesisHash':
      return state.genesisHash;
    case 'getSlot':
      return local.slot();
    case 'getBalance':
      return inContext(local, configSchema.parse(params[1]), () => findAccount(local, params[0])?.lamports ?? 0n);
    case 'getAccountInfo':
      return inContext(local, configSchema.parse(params[1]), (config) => toWire(findAccount(local, params[0]), config));
    case 'getMultipleAccounts':
      return inContext(local, configSchema.parse(params[1]), (config) => {
        const keys = z.array(z.string()).parse(params[0]);
        if (keys.length > MAX_ACCOUNTS) throw new RpcError(-32602, `Too many inputs provided; max ${MAX_ACCOUNTS}`);
        return keys.map((key) => toWire(findAccount(local, key), config));
      });
    case 'getTokenAccountsByOwner':
      return inContext(local, configSchema.parse(params[2]), (config) => {
        const { programId } = z.object({ programId: z.string() }).parse(params[1]);
        return search(local, programId, [{ offset: 32, bytes: keyOf(params[0]) }], config);
      });
    case 'getProgramAccounts': {
      if (!state.allowsSearch)
        throw new RpcError(
          -32010,
          `${String(params[0])} excluded from account secondary indexes; this RPC method unavailable for key`,
        );
      const config = configSchema.parse(params[1]);
      const filters = (config.filters ?? []).map(({ memcmp }) => memcmp);
      const found = inContext(local, config, () => search(local, keyOf(params[0]), filters, config));
      return config.withContext === true ? found : found.value;
    }
    default:
      return answerHistory({ vm: local, firstAvailable: state.firstAvailable }, method, params);
  }
}

function inContext<T>(
  local: LocalSvm,
  config: Config,
  read: (config: Config) => T,
): { context: { apiVersion: string; slot: bigint }; value: T } {
  const slot = local.slot();
  if (config.minContextSlot !== undefined && BigInt(config.minContextSlot) > slot) {
    throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: Number(slot) });
  }
  return { context: { apiVersion: '3.0.0', slot }, value: read(config) };
}

function keyOf(value: unknown): Address {
  return address(z.string().parse(value));
}

function findAccount(local: LocalSvm, key: unknown): EncodedAccount | null {
  return local.getAccount(keyOf(key)) ?? null;
}

const encoder = getAddressEncoder();

type Filter = { readonly offset: number; readonly bytes: string };

function search(local: LocalSvm, program: string, filters: readonly Filter[], config: Config): unknown[] {
  const wanted = filters.map(({ offset, bytes }) => ({ offset, bytes: Buffer.from(encoder.encode(address(bytes))) }));
  return local
    .accountsOf(address(program))
    .filter(({ data }) => wanted.every(({ offset, bytes }) => bytes.equals(data.subarray(offset, offset + bytes.length))))
    .map((account) => ({ pubkey: account.address, account: toWire(account, config) }));
}

function toWire(account: EncodedAccount | null, { dataSlice }: Config): unknown {
  if (account === null) return null;
  const { offset, length } = dataSlice ?? { offset: 0, length: account.data.length };
  const data = Buffer.from(account.data.subarray(offset, offset + length)).toString('base64');
  return {
    data: [data, 'base64'],
    executable: account.executable,
    lamports: account.lamports,
    owner: account.programAddress,
    rentEpoch: 18446744073709551615n,
    space: BigInt(account.data.length),
  };
}
