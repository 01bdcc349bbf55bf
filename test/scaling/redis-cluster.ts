import { expect, vi } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

/** A real Redis Cluster: three masters with a third of the slots each, and a replica for each of them. */
export type RedisCluster = {
  /** The masters' addresses, comma-separated, as the service takes them. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** In the order of their masters. */
  readonly replicas: readonly RedisServer[];
  /** The place of the master that holds a key. */
  masterOf(key: string): Promise<number>;
  close(): Promise<void>;
};

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 1_000;
/** For elections, handshakes and first copies, on a machine that does much else. */
const PATIENCE = { timeout: 30_000, interval: 100 };

/** Starts six `redis-server`s, makes a cluster of them, and waits until every node says that it is whole. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 6 }, startNode));
  const servers = nodes.map(({ server }) => server);
  const [masters, replicas] = [servers.slice(0, 3), servers.slice(3)];
  for (const [index, { admin }] of masters.entries()) {
    const [from, to] = [index, index + 1].map((part) => Math.floor((SLOTS * part) / masters.length));
    await admin.call('cluster', 'addslotsrange', from ?? 0, (to ?? 0) - 1);
    await admin.call('cluster', 'set-config-epoch', index + 1);
  }
  for (const { server, busPort } of nodes.slice(1)) {
    await masters[0]?.admin.call('cluster', 'meet', '127.0.0.1', server.port, busPort);
  }
  await waitUntilAll(
    servers,
    async ({ admin }) =>
      String(await admin.call('cluster', 'nodes'))
        .trim()
        .split('\n').length === 6,
  );
  for (const [index, { admin }] of replicas.entries()) {
    await admin.call('cluster', 'replicate', String(await masters[index]?.admin.call('cluster', 'myid')));
  }
  await waitUntilAll(servers, async ({ admin }) => String(await admin.call('cluster', 'info')).includes('cluster_state:ok'));
  await waitUntilAll(replicas, async ({ admin }) => (await admin.info('replication')).includes('master_link_status:up'));
  return {
    url: masters.map(({ url }) => url).join(','),
    masters,
    replicas,
    async masterOf(key) {
      const slot = Number(await masters[0]?.admin.call('cluster', 'keyslot', key));
      return Math.floor((slot * masters.length) / SLOTS);
    },
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}

/** Resolves when the replica has taken the place of its master. */
export async function waitForTakeover(replica: RedisServer | undefined): Promise<void> {
  await vi.waitFor(async () => expect(await replica?.admin.info('replication')).toContain('role:master'), PATIENCE);
}

async function startNode(): Promise<{ server: RedisServer; busPort: number }> {
  const busPort = await findFreePort();
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  const timing = ['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--cluster-replica-validity-factor', '0'];
  return { server: await startRedisServer({ args: [...settings, ...timing] }), busPort };
}

async function waitUntilAll(servers: readonly RedisServer[], test: (server: RedisServer) => Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await Promise.all(servers.map(test))).not.toContain(false), PATIENCE);
}
