import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventRelay } from '../../../src/adapters/event-relay.ts';
import type { StoredEvent } from '../../../src/domain/events/event.ts';
import { createTenantChannel, type TenantChannel } from '../../../src/services/events/tenant-channel.ts';

const TENANT = 'tenant';
const PATIENCE = { timeout: 20_000, interval: 2 };
const START = 1_000n;

function eventOf(seq: bigint): StoredEvent {
  return { id: `id-${seq}`, seq, type: 'wallet.added', data: {}, occurredAt: new Date(0) };
}

/** A table of events of which the oldest may be gone, and that can fail. */
function createTable() {
  let events: StoredEvent[] = [];
  let last = START;
  let failures = 0;
  let reads = 0;
  return {
    add(count = 1): readonly StoredEvent[] {
      const added = Array.from({ length: count }, () => eventOf(++last));
      events.push(...added);
      return added;
    },
    forget: (count: number) => {
      events = events.slice(count);
    },
    fail: (times: number) => {
      failures = times;
    },
    last: () => last,
    reads: () => reads,
    store: {
      async listAfter(_tenantId: string, seq: bigint, limit: number) {
        reads += 1;
        if (failures-- > 0) throw new Error('the table cannot be read');
        return events.filter((event) => event.seq > seq).slice(0, limit);
      },
      hasAllAfter: async (_tenantId: string, seq: bigint) => seq === last || events.some((event) => event.seq === seq + 1n),
    },
  };
}

type Table = ReturnType<typeof createTable>;

function open(table: Table, relay: EventRelay | null = null): TenantChannel {
  return createTenantChannel({ tenantId: TENANT, store: table.store, relay, log: { warn: () => undefined } }, START);
}

async function listen(channel: TenantChannel, after = START): Promise<bigint[] | undefined> {
  const heard: bigint[] = [];
  const stop = await channel.follow(
    after,
    ({ seq }) => void heard.push(seq),
    async () => undefined,
  );
  return stop === undefined ? undefined : heard;
}

const range = (from: bigint, through: bigint) =>
  Array.from({ length: Number(through - from) + 1 }, (_, index) => from + BigInt(index));

describe('a channel', () => {
  it('tells each event once and in order, whatever is told of them, and however often the table fails', async () => {
    const table = createTable();
    const channel = open(table);
    const heard = await listen(channel);
    table.fail(2);
    for (const count of [1, 3, 600, 1, 1_200]) {
      const news = table.add(count);
      // Late, twice, and out of order.
      for (const { seq } of [...news.slice(-2), ...news.slice(0, 1)]) channel.hear(seq);
      channel.hear();
    }
    await expect.poll(() => heard?.length, PATIENCE).toBe(1_805);
    expect(heard).toEqual(range(START + 1n, table.last()));
    channel.close();
  });

  it('goes on for one who was away, from memory or from the table', async () => {
    const table = createTable();
    const channel = open(table);
    table.add(5_000);
    channel.hear(table.last());
    await expect.poll(() => channel.tail, PATIENCE).toBe(table.last());
    const reads = table.reads();
    expect(await listen(channel, table.last() - 900n)).toEqual(range(table.last() - 899n, table.last()));
    expect(table.reads()).toBe(reads);
    expect(await listen(channel, START + 10n)).toEqual(range(START + 11n, table.last()));
    expect(table.reads()).toBeGreaterThan(reads);
    channel.close();
  });

  it('lets one who was away take each event before the next', async () => {
    const table = createTable();
    const channel = open(table);
    table.add(250);
    channel.hear(table.last());
    await expect.poll(() => channel.tail, PATIENCE).toBe(table.last());
    let waiting = 0;
    let most = 0;
    await channel.follow(
      START,
      () => {
        waiting += 1;
        most = Math.max(most, waiting);
      },
      async () => {
        waiting = 0;
      },
    );
    expect(most).toBe(1);
    channel.close();
  });

  it('says so when something is missing', async () => {
    const table = createTable();
    const channel = open(table);
    table.add(5_000);
    table.forget(100);
    channel.hear();
    await expect.poll(() => channel.tail, PATIENCE).toBe(table.last());
    for (const unknown of [START + 50n, 0n, table.last() + 1n, 999_999_999n])
      expect(await listen(channel, unknown)).toBeUndefined();
    expect(await listen(channel, START + 100n)).toHaveLength(4_900);
    table.add(9_000);
    channel.hear();
    await expect.poll(() => channel.tail, PATIENCE).toBe(table.last());
    // It is all there, and too much.
    expect(await listen(channel, START + 100n)).toBeUndefined();
    channel.close();
  });

  it('misses nothing that comes while it tells of the past', async () => {
    const table = createTable();
    const channel = open(table);
    table.add(300);
    channel.hear(table.last());
    await expect.poll(() => channel.tail, PATIENCE).toBe(table.last());
    const heard: bigint[] = [];
    let parts = 0;
    await channel.follow(
      START,
      ({ seq }) => void heard.push(seq),
      async () => {
        parts += 1;
        if (parts > 5) return;
        table.add(150);
        channel.hear(table.last());
        await new Promise(setImmediate);
      },
    );
    table.add(1);
    channel.hear(table.last());
    await expect.poll(() => heard.at(-1), PATIENCE).toBe(table.last());
    expect(heard).toEqual(range(START + 1n, table.last()));
    channel.close();
  });
});

/** A relay between processes that loses and delays what it is told to. */
function createRelays(lost: readonly boolean[]) {
  const listeners = new Set<(events: readonly StoredEvent[]) => void>();
  const claimed = new Set<bigint>();
  let count = 0;
  const isLost = (): boolean => lost[count++ % Math.max(1, lost.length)] ?? false;
  return (): EventRelay => ({
    async claim(_tenantId, seq) {
      await new Promise(setImmediate);
      if (isLost()) return true;
      const isFirst = !claimed.has(seq);
      claimed.add(seq);
      return isFirst;
    },
    publish(_tenantId, events) {
      for (const listener of listeners) if (!isLost()) setImmediate(() => listener(events));
    },
    subscribe(_tenantId, listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => undefined,
  });
}

describe('channels of several processes', () => {
  it('read the table about once for all while the relay works', async () => {
    const table = createTable();
    const relay = createRelays([]);
    const channels = Array.from({ length: 8 }, () => open(table, relay()));
    const heard = await Promise.all(channels.map((channel) => listen(channel)));
    for (let round = 0; round < 20; round++) {
      table.add(1);
      for (const channel of channels) channel.hear(table.last());
      for (const one of heard) await expect.poll(() => one?.at(-1), PATIENCE).toBe(table.last());
    }
    for (const one of heard) expect(one).toEqual(range(START + 1n, table.last()));
    // Eight times twenty without it.
    expect(table.reads()).toBeLessThan(60);
    for (const channel of channels) channel.close();
  });

  it('tell everybody everything whatever the relay loses', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        async (lost, counts) => {
          const table = createTable();
          const relay = createRelays(lost);
          const channels = Array.from({ length: 3 }, () => open(table, relay()));
          const heard = await Promise.all(channels.map((channel) => listen(channel)));
          for (const count of counts) {
            table.add(count);
            for (const channel of channels) channel.hear(table.last());
            await new Promise(setImmediate);
          }
          for (const one of heard) await expect.poll(() => one?.at(-1), PATIENCE).toBe(table.last());
          for (const one of heard) expect(one).toEqual(range(START + 1n, table.last()));
          for (const channel of channels) channel.close();
        },
      ),
      { numRuns: 15 },
    );
  });
});
