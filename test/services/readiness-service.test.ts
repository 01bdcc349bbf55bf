import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createReadinessService, type ReadinessService } from '../../src/services/readiness-service.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type World = { ping: () => Promise<void>; isSchemaCurrent: boolean; parts: { name: string; status: 'ok' | 'down' }[] };

function start(overrides: Partial<World> = {}): { readiness: ReadinessService; world: World; pings: () => number } {
  const world: World = { ping: async () => undefined, isSchemaCurrent: true, parts: [], ...overrides };
  let pings = 0;
  const readiness = createReadinessService({
    ping: () => {
      pings += 1;
      return world.ping();
    },
    isSchemaCurrent: async () => world.isSchemaCurrent,
    otherParts: () => world.parts,
    isStarted: () => true,
    log: { warn: () => undefined, info: () => undefined },
  });
  readiness.start();
  return { readiness, world, pings: () => pings };
}

const refuse = (): Promise<void> => Promise.reject(new Error('refused'));
const hang = (): Promise<void> => new Promise(() => undefined);
const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1000);

describe('readiness', () => {
  it('comes with the first answer of the database, and not before', async () => {
    const { readiness } = start();
    expect(readiness.getReadiness().status).toBe('unready');
    await seconds(0);
    expect(readiness.getReadiness().status).toBe('ready');
  });

  it.each([
    ['refuses', refuse],
    ['hangs', hang],
  ])('ends after three pings when the database %s, and is back with the first good one', async (_, fault) => {
    const { readiness, world } = start();
    await seconds(0);
    let free: () => void = () => undefined;
    world.ping = () => (fault === hang ? new Promise((resolve) => (free = resolve)) : fault());
    await seconds(2);
    expect(readiness.getReadiness().status).toBe('degraded');
    await seconds(2);
    expect(readiness.getReadiness()).toMatchObject({ status: 'unready', parts: [{ name: 'database', status: 'down' }, {}] });
    expect(readiness.isAlive()).toBe(true);
    world.ping = async () => undefined;
    free();
    await seconds(1);
    expect(readiness.getReadiness().status).toBe('ready');
  });

  it('asks a database that hangs no second time', async () => {
    const { world, pings } = start();
    await seconds(0);
    world.ping = hang;
    await seconds(60);
    expect(pings()).toBe(2);
  });

  it('ends when an older copy of the database comes back, until it is brought up to date', async () => {
    const { readiness, world } = start();
    await seconds(0);
    world.ping = refuse;
    await seconds(4);
    world.ping = async () => undefined;
    world.isSchemaCurrent = false;
    await seconds(1);
    expect(readiness.getReadiness()).toMatchObject({
      status: 'unready',
      parts: [
        { name: 'database', status: 'ok' },
        { name: 'migrations', status: 'down' },
      ],
    });
    world.isSchemaCurrent = true;
    await seconds(1);
    expect(readiness.getReadiness().status).toBe('ready');
  });

  it('outlasts every other part, which only degrades it', async () => {
    const { readiness, world } = start();
    await seconds(0);
    world.parts = [
      { name: 'cache', status: 'down' },
      { name: 'chain:ethereum', status: 'down' },
    ];
    expect(readiness.getReadiness().status).toBe('degraded');
  });

  it('ends at once when the process drains or is given up', async () => {
    const draining = start().readiness;
    const failed = start().readiness;
    await seconds(0);
    draining.drain();
    expect(draining.getReadiness()).toMatchObject({ status: 'unready', isDraining: true });
    expect(draining.isAlive()).toBe(true);
    failed.giveUp();
    expect(failed.getReadiness().status).toBe('unready');
    expect(failed.isAlive()).toBe(false);
  });

  it('watches no more once it is stopped', async () => {
    const { readiness, pings } = start();
    await seconds(3);
    readiness.stop();
    const before = pings();
    await seconds(10);
    expect(pings()).toBe(before);
  });
});
