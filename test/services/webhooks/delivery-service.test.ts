import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { createGuardedClient } from '../../../src/lib/outbound/guarded-client.ts';
import { createOutboundGuard } from '../../../src/lib/outbound/outbound-guard.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { createWebhookWorld, verify, type WebhookWorld } from './webhook-world.ts';

const MINUTE = 60;
const HOUR = 3600;

let world: WebhookWorld;
beforeAll(async () => {
  world = await createWebhookWorld();
  await addOtherTenant(world.database.db);
});
afterEach(() => world.clear());
afterAll(() => world.close());

const ALL = { status: null, afterId: null, limit: 100 };
const list = async (id: string) => (await world.webhooks.listDeliveries(TENANT, id, ALL)).deliveries;
const statuses = async (id: string) => (await list(id)).map(({ status }) => status);
const never = (): never => {
  throw new Error('nothing came');
};
/** Waits until so many messages have come in. */
const arrive = (count: number) => expect.poll(() => world.received.length, { timeout: 20_000 }).toBe(count);

describe('a message', () => {
  it('is what the event says, and genuine to the reference library', async () => {
    const { id, secret } = await world.add('/a');
    await world.happen(1, 'snapshot.missed');
    await world.addWorker().deliver();
    await arrive(1);
    const message = world.received[0] ?? never();
    expect(verify(secret, message)).toEqual({
      type: 'snapshot.missed',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      data: { number: '0' },
    });
    expect(message.headers['content-type']).toBe('application/json');
    const [delivery] = await expect
      .poll(() => list(id))
      .toMatchObject([{ status: 'delivered' }])
      .then(() => list(id));
    expect(delivery).toMatchObject({
      eventId: message.id,
      attempts: 1,
      responseStatus: 200,
      errorCode: null,
      nextAttemptAt: null,
    });
  });

  it('is refused by the reference library when anything of it was tampered with', async () => {
    const { secret } = await world.add('/a');
    await world.happen(1);
    await world.addWorker().deliver();
    await arrive(1);
    const message = world.received[0] ?? never();
    const { headers, body } = message;
    expect(() => verify(secret, { headers, body: body.replace('"0"', '"1"') })).toThrow();
    expect(() => verify(secret, { body, headers: { ...headers, 'webhook-id': TENANT } })).toThrow();
    expect(() => verify(secret, { body, headers: { ...headers, 'webhook-timestamp': String(message.timestamp - 1) } })).toThrow();
    expect(() => verify(`whsec_${Buffer.alloc(32).toString('base64')}`, message)).toThrow();
  });

  it('is signed with both secrets while one takes the place of the other', async () => {
    const { id, secret } = await world.add('/a');
    const rotated = await world.webhooks.rotate(TENANT, id, HOUR);
    const next = `whsec_${rotated.secret.toString('base64')}`;
    expect(next).not.toBe(secret);
    const worker = world.addWorker();
    await world.happen(1);
    await worker.deliver();
    await arrive(1);
    for (const either of [secret, next]) expect(() => verify(either, world.received[0] ?? never())).not.toThrow();
    await world.elapse(HOUR);
    await world.happen(1);
    await worker.deliver();
    await arrive(2);
    expect(() => verify(next, world.received[1] ?? never())).not.toThrow();
    expect(() => verify(secret, world.received[1] ?? never())).toThrow();
  });
});

describe('what a webhook is told', () => {
  it('is what it asked for, from then on, of its own tenant', async () => {
    await world.happen(3, 'snapshot.missed');
    await world.add('/some', ['snapshot.missed', 'source.stale']);
    await world.add('/all');
    await world.happen(2, 'snapshot.missed');
    await world.happen(1, 'wallet.added');
    await world.happen(4, 'snapshot.missed', OTHER_TENANT_ID);
    await world.addWorker().deliver();
    await arrive(5);
    expect(world.received.filter(({ path }) => path === '/some').map(({ body }) => JSON.parse(body).type)).toEqual([
      'snapshot.missed',
      'snapshot.missed',
    ]);
    expect(new Set(world.received.map(({ id }) => id)).size).toBe(3);
  });

  it('is nothing while it is disabled, and goes on when it is enabled', async () => {
    const { id } = await world.add('/a');
    const worker = world.addWorker();
    await world.webhooks.update(TENANT, id, { isEnabled: false });
    await world.happen(2);
    await worker.deliver();
    await expect(world.webhooks.test(TENANT, id)).rejects.toMatchObject({ code: 'conflict' });
    await world.webhooks.update(TENANT, id, { isEnabled: true });
    await world.happen(1);
    await worker.deliver();
    await arrive(1);
    expect(await list(id)).toHaveLength(1);
  });
});

describe('what does not arrive', () => {
  it('fault 46: comes again for more than a day, under its id at a new time, then by request only', async () => {
    const { id, secret } = await world.add('/a');
    world.answer('/a', () => ({ status: 500 }));
    const worker = world.addWorker();
    await world.happen(1);
    await worker.deliver();
    for (const [index, pause] of [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR].entries()) {
      await arrive(index + 1);
      await expect.poll(() => list(id)).toMatchObject([{ status: 'pending', errorCode: 'upstream_status', responseStatus: 500 }]);
      await expect.poll(async () => (await list(id))[0]?.nextAttemptAt).not.toBeNull();
      const { nextAttemptAt, lastAttemptAt } = (await list(id))[0] ?? never();
      const waitSeconds = ((nextAttemptAt?.getTime() ?? 0) - (lastAttemptAt?.getTime() ?? 0)) / 1000;
      expect(waitSeconds).toBeGreaterThanOrEqual(pause);
      expect(waitSeconds).toBeLessThan(pause + 30);
      await world.elapse(pause);
      await worker.deliver();
    }
    await arrive(7);
    await expect.poll(async () => (await list(id))[0]?.nextAttemptAt).not.toBeNull();
    // The last one, a day and more after the first.
    await world.elapse(14 * HOUR);
    await worker.deliver();
    await arrive(8);
    await expect.poll(() => statuses(id)).toEqual(['failed']);
    await world.elapse(48 * HOUR);
    await worker.deliver();
    expect(world.received).toHaveLength(8);
    expect(new Set(world.received.map((message) => message.id)).size).toBe(1);
    for (const message of world.received) expect(() => verify(secret, message)).not.toThrow();

    world.answer('/a', () => ({ status: 204 }));
    await world.webhooks.update(TENANT, id, { isEnabled: true });
    const [dead] = await list(id);
    expect(await world.webhooks.replay(TENANT, id, dead?.id ?? '')).toMatchObject({ status: 'pending', attempts: 0 });
    await worker.deliver();
    await arrive(9);
    await expect.poll(() => statuses(id)).toEqual(['delivered']);
    expect(world.received[8]?.id).toBe(world.received[0]?.id);
  });

  it('waits as long as it is asked to, and so does all else for the same webhook', async () => {
    const { id } = await world.add('/a');
    world.answer('/a', () => ({ status: 429, headers: { 'retry-after': '1200' } }));
    const worker = world.addWorker();
    await world.happen(1);
    await worker.deliver();
    await arrive(1);
    await expect.poll(async () => (await list(id))[0]?.errorCode).toBe('upstream_status');
    await world.happen(3);
    await world.elapse(1_100);
    await worker.deliver();
    expect(world.received).toHaveLength(1);
    world.answer('/a', () => ({ status: 200 }));
    await world.elapse(110);
    await worker.deliver();
    await arrive(5);
  });

  it('disables a webhook that answers 410, and the others are told', async () => {
    const { id } = await world.add('/gone', ['refresh.failed']);
    await world.add('/watch', ['webhook.disabled']);
    world.answer('/gone', () => ({ status: 410 }));
    const worker = world.addWorker();
    await world.happen(1);
    await worker.deliver();
    await arrive(2);
    expect(JSON.parse(world.received[1]?.body ?? '')).toMatchObject({
      type: 'webhook.disabled',
      data: { webhook_id: id, reason: 'gone' },
    });
    expect(await world.webhooks.get(TENANT, id)).toMatchObject({ disabled: { reason: 'gone' } });
    expect(await statuses(id)).toEqual(['failed']);
  });

  it('disables a webhook after a day of nothing but failures', async () => {
    const { id } = await world.add('/a');
    world.answer('/a', () => ({ status: 503 }));
    const worker = world.addWorker();
    await world.happen(2);
    await worker.deliver();
    await arrive(2);
    await expect.poll(async () => (await world.webhooks.get(TENANT, id)).failingSince).not.toBeNull();
    await world.elapse(23 * HOUR);
    await worker.deliver();
    await arrive(4);
    await expect.poll(() => worker.ends).toHaveLength(4);
    expect(await world.webhooks.get(TENANT, id)).toMatchObject({ disabled: null });
    await world.elapse(HOUR);
    await worker.deliver();
    await expect.poll(async () => (await world.webhooks.get(TENANT, id)).disabled).toMatchObject({ reason: 'failing' });
    // What is still to be told waits for it to come back.
    world.answer('/a', () => ({ status: 200 }));
    expect(await world.webhooks.update(TENANT, id, { isEnabled: true })).toMatchObject({ disabled: null, failingSince: null });
    await world.elapse(24 * HOUR);
    await worker.deliver();
    await expect.poll(() => statuses(id)).toEqual(['delivered', 'delivered']);
  });

  it.each([
    ['a redirect', '/moved', 'upstream_redirect'],
    ['no answer', '/cut', 'upstream_unreachable'],
  ])('is %s too', async (_name, path, code) => {
    const { id } = await world.add(path);
    world.answer('/moved', () => ({ status: 307, headers: { location: world.url('/elsewhere') } }));
    world.answer('/cut', () => 'cut');
    await world.happen(1);
    await world.addWorker().deliver();
    await expect.poll(() => list(id)).toMatchObject([{ status: 'pending', errorCode: code, responseStatus: null }]);
    expect(world.received.map((message) => message.path)).not.toContain('/elsewhere');
  });

  it('never reaches what users may not call, whatever was stored', async () => {
    const { id } = await world.add('/inside');
    const rules = { protocols: ['http:', 'https:'], ports: [Number(new URL(world.url('/')).port)] };
    const http = createGuardedClient(createOutboundGuard({ rules, allowances: [] }));
    await world.happen(1);
    await world.addWorker(http).deliver();
    await expect.poll(() => list(id)).toMatchObject([{ status: 'pending', errorCode: 'outbound_refused' }]);
    expect(world.received).toEqual([]);
    await http.close();
  });
});
