import type { RpcEndpointStore } from '../db/endpoints/rpc-endpoint-store.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError, toAppError } from '../domain/errors.ts';
import type { RpcEndpointSetting } from '../domain/rpc-endpoint.ts';
import { DEFAULT_TENANT_ID } from '../domain/tenant.ts';
import { createRounds } from '../lib/rounds.ts';

/** What a process asks the chains with. */
export type EndpointPools = {
  /** The URL in its plain form. Throws outbound_refused for one that leads where users may not send, and an upstream code when there is no endpoint of the chain. */
  check(chain: Chain, url: string, signal: AbortSignal): Promise<string>;
  /** From now on these are asked before those of the configuration, and none that was set before and is not among them. */
  use(settings: readonly RpcEndpointSetting[]): void;
};

/** The endpoints that are set while the service runs. All tenants share them, so that none but its owner sets them: anyone else is told forbidden. */
export type RpcEndpointService = {
  list(tenantId: string): Promise<readonly RpcEndpointSetting[]>;
  /** Throws outbound_refused, endpoint_unusable, conflict for one that is there already, and quota_exceeded. */
  add(
    tenantId: string,
    endpoint: { readonly chain: string; readonly url: string },
    signal: AbortSignal,
  ): Promise<RpcEndpointSetting>;
  /** Throws endpoint_not_found. */
  remove(tenantId: string, id: string): Promise<void>;
  /** From now on the pools of this process follow what is stored, whoever has set it. */
  start(): void;
  stop(): Promise<void>;
};

type RpcEndpointDeps = {
  readonly store: RpcEndpointStore;
  readonly chains: readonly Chain[];
  readonly pools: EndpointPools;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

const MOST_PER_CHAIN = 10;
const SYNC_INTERVAL_MS = 3_000;

export function createRpcEndpointService({ store, chains, pools, log }: RpcEndpointDeps): RpcEndpointService {
  let syncing = Promise.resolve();
  /** One after the other, so that what was read first is never what is used last. */
  const sync = (): Promise<void> => {
    const next = syncing.catch(() => undefined).then(async () => pools.use(await store.list(DEFAULT_TENANT_ID)));
    syncing = next;
    return next;
  };
  const rounds = createRounds({
    run: sync,
    intervalMs: SYNC_INTERVAL_MS,
    onError: (error) => log.warn({ err: error }, 'the endpoints that were set could not be read'),
  });
  return {
    async list(tenantId) {
      requireOwner(tenantId);
      return store.list(tenantId);
    },
    async add(tenantId, { chain: slug, url }, signal) {
      requireOwner(tenantId);
      const chain = chains.find((one) => one.slug === slug);
      if (chain === undefined) throw new AppError('unknown_chain', `There is no chain \`${slug}\`.`);
      const plainUrl = await pools.check(chain, url, signal).catch((error: unknown) => refuse(error, chain));
      const added = await store.add(tenantId, { chain: slug, url: plainUrl, most: MOST_PER_CHAIN });
      if (added === 'exists') throw new AppError('conflict', 'This endpoint is there already.');
      if (added === 'full') throw new AppError('quota_exceeded', `A chain can have ${MOST_PER_CHAIN} endpoints of this kind.`);
      await sync();
      return added;
    },
    async remove(tenantId, id) {
      requireOwner(tenantId);
      if (!(await store.remove(tenantId, id))) throw new AppError('endpoint_not_found', 'There is no such endpoint.');
      await sync();
    },
    start: rounds.start,
    stop: rounds.stop,
  };
}

function requireOwner(tenantId: string): void {
  if (tenantId === DEFAULT_TENANT_ID) return;
  throw new AppError('forbidden', 'Endpoints serve all tenants, so that only the owner of the service sets them.');
}

/** How it failed would tell of the network: whether a port is open, who answers there and what. */
function refuse(error: unknown, { name }: Chain): never {
  const { code } = toAppError(error);
  if (code === 'outbound_refused' || code === 'upstream_aborted' || !code.startsWith('upstream_')) throw error;
  const detail =
    code === 'upstream_wrong_chain' ? `The endpoint serves another chain than ${name}.` : `No endpoint of ${name} answers there.`;
  throw new AppError('endpoint_unusable', detail);
}
