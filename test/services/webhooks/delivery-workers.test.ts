import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { createWebhookWorld, type WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeAll(async () => {
  world = await createWebhookWorld();
});
afterEach(() => world.clear());
afterAll(() => world.close());

const LEASE_SECONDS = 60;
const arrive = (count: number) => expect.poll(() => world.received.length, { timeout: 30_000 }).toBe(count);
const count = async (id: string, status: 'pending' | 'delivered') =>
  (await world.webhooks.listDeliveries(TENANT, id, { status, afterId: null, limit: 100 })).deliveries.length;

describe('two workers', () => {
  it('tell each webhook of each event once, while events go on happening', async () => {
    const { id } = await world.add('/a');
    await world.add('/b');
    const workers = [world.addWorker(), world.addWorker()];
    await Promise.all(
      Array.from({ length: 10 }, async (_, round) => {
        await world.happen(4);
        await workers[round % 2]?.deliver();
        await workers[(round + 1) % 2]?.deliver();
      }),
    );
    await arrive(80);
    await expect.poll(() => count(id, 'delivered')).toBe(40);
    for (const path of ['/a', '/b']) {
      const ids = world.received.filter((message) => message.path === path).map((message) => message.id);
      expect(ids).toHaveLength(40);
      expect(new Set(ids).size).toBe(40);
    }
    for (const { ends } of workers) expect(ends.every((end) => end === 'delivered')).toBe(true);
  });

  it('lose nothing when one of them dies in the middle, and tell nothing twice that arrived', async () => {
    const { id } = await world.add('/a');
    await world.happen(12);
    let stuck = 0;
    const http = createHttpClient();
    // From the fourth on it takes attempts and never comes back from them.
    const dying = world.addWorker({
      send(request) {
        if (world.received.length < 3) return http.send(request);
        stuck++;
        return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason)));
      },
    });
    await dying.deliver();
    // As many as it may have under way, and all others at their end: from then on it takes no more.
    await expect.poll(() => [stuck, world.received.length - dying.ends.length], { timeout: 20_000 }).toEqual([5, 0]);
    await dying.deliver();
    const other = world.addWorker();
    await world.elapse(LEASE_SECONDS);
    await other.deliver();
    await expect.poll(() => count(id, 'delivered'), { timeout: 30_000 }).toBe(12);
    const ids = world.received.map((message) => message.id);
    expect(new Set(ids).size).toBe(12);
    expect(ids).toHaveLength(12);
    await http.close();
  });

  it('hand back what is under way when they stop, for the next to send at once', async () => {
    const { id } = await world.add('/slow');
    const asked = Promise.withResolvers<void>();
    world.answer('/slow', () => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    const worker = world.addWorker();
    await world.happen(1);
    await worker.deliver();
    await asked.promise;
    await worker.stop();
    await worker.deliver();
    expect(world.received).toHaveLength(1);
    world.answer('/slow', () => ({ status: 200 }));
    await world.addWorker().deliver();
    await expect.poll(() => count(id, 'delivered')).toBe(1);
    expect(new Set(world.received.map((message) => message.id)).size).toBe(1);
  });
});

describe('a webhook that is slow', () => {
  it('fault 46: keeps few places, in all workers together, and nobody else waiting', async () => {
    const { id } = await world.add('/slow');
    await world.add('/fast');
    const release = Promise.withResolvers<{ status: number }>();
    world.answer('/slow', () => release.promise);
    const workers = [world.addWorker(), world.addWorker()];
    await world.happen(60);
    for (const worker of workers) await worker.deliver();
    await expect.poll(() => world.received.filter(({ path }) => path === '/fast').length, { timeout: 30_000 }).toBe(60);
    expect(world.received.filter(({ path }) => path === '/slow')).toHaveLength(5);
    release.resolve({ status: 200 });
    await expect.poll(() => world.received.filter(({ path }) => path === '/slow').length, { timeout: 30_000 }).toBe(60);
    await expect.poll(() => count(id, 'pending')).toBe(0);
  });
});

describe('a tenant whose webhooks are all slow', () => {
  it('fault 46: leaves places for the others', async () => {
    await addOtherTenant(world.database.db);
    for (let number = 0; number < 20; number++) await world.add(`/${number}`);
    const fast = { url: world.url('/fast'), eventTypes: null, description: null };
    await world.webhooks.add(OTHER_TENANT_ID, fast);
    await world.happen(10);
    const stuck: string[] = [];
    const http = createHttpClient();
    const worker = world.addWorker({
      send(request) {
        if (request.url === fast.url) return http.send(request);
        stuck.push(request.url);
        return new Promise((_, reject) =>
          request.signal.addEventListener('abort', () => reject(new AppError('upstream_aborted', 'It was given up.'))),
        );
      },
    });
    await worker.deliver();
    await worker.deliver();
    await world.happen(3, 'refresh.failed', OTHER_TENANT_ID);
    await worker.deliver();
    await arrive(3);
    expect(stuck).toHaveLength(20);
    await worker.stop();
    await http.close();
  });
});
