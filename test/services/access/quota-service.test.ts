import { expect, it } from 'vitest';
import type { OwnQuotas } from '../../../src/db/access/quota-store.ts';
import { createQuotaService, type QuotaService } from '../../../src/services/access/quota-service.ts';

const DEFAULTS = { wallets: 10, requestsPerMinute: 600, refreshesPerHour: null };

type World = { readonly quotas: QuotaService; nowMs: number; own: OwnQuotas; fault: Error | null; reads: number };

function createWorld(): World {
  const world: Omit<World, 'quotas'> = { nowMs: 0, own: {}, fault: null, reads: 0 };
  const get = async (): Promise<OwnQuotas> => {
    world.reads += 1;
    if (world.fault !== null) throw world.fault;
    return world.own;
  };
  const log = { warn: () => undefined };
  return Object.assign(world, {
    quotas: createQuotaService({ store: { get }, defaults: DEFAULTS, elapsedMs: () => world.nowMs, log }),
  });
}

it('a tenant may what any may, but for what was set for it', async () => {
  const world = createWorld();
  world.own = { wallets: 3 };
  expect(await world.quotas.get('a')).toEqual({ ...DEFAULTS, wallets: 3 });
});

it('are read once for many who ask at once, and again after five seconds', async () => {
  const world = createWorld();
  await Promise.all([1, 2, 3].map(() => world.quotas.get('a')));
  world.nowMs = 4_999;
  expect(world.quotas.get('a')).toEqual(DEFAULTS);
  expect(world.reads).toBe(1);
  world.own = { refreshesPerHour: 7 };
  world.nowMs = 5_000;
  expect(world.quotas.get('a')).toEqual(DEFAULTS);
  expect(world.reads).toBe(2);
  await expect.poll(() => world.quotas.get('a')).toEqual({ ...DEFAULTS, refreshesPerHour: 7 });
});

it('of a tenant that was away for long are read before they are told', async () => {
  const world = createWorld();
  await world.quotas.get('a');
  world.own = { wallets: 1 };
  world.nowMs = 60_000;
  expect(await world.quotas.get('a')).toEqual({ ...DEFAULTS, wallets: 1 });
});

it('stay as they were while the database cannot tell, and are what any has before it ever could', async () => {
  const world = createWorld();
  world.own = { wallets: 1 };
  await world.quotas.get('a');
  world.fault = new Error('away');
  world.nowMs = 120_000;
  expect(await world.quotas.get('a')).toEqual({ ...DEFAULTS, wallets: 1 });
  expect(await world.quotas.get('b')).toEqual(DEFAULTS);
});
