import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDatabase, type Database } from '../../../src/db/database.ts';
import { createIdempotencyStore } from '../../../src/db/requests/idempotency-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import {
  createIdempotencyService,
  type IdempotencyService,
  type WriteOutcome,
} from '../../../src/services/requests/idempotency-service.ts';
import { addOtherTenant, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const WRITE = { key: 'a-key', fingerprint: 'one' };
const warn = vi.fn();

let database: TestDatabase;
let elsewhere: Database;
let [here, there]: IdempotencyService[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await addOtherTenant(database.db);
  elsewhere = createDatabase({ url: database.url, log: { warn } });
  here = createIdempotencyService({ store: createIdempotencyStore(database.tenants), log: { warn } });
  there = createIdempotencyService({ store: createIdempotencyStore(elsewhere.tenants), log: { warn } });
});
beforeEach(() => sql`delete from idempotency_keys`.execute(database.db));
afterAll(async () => {
  await elsewhere.close();
  await database.close();
});

/** Two instances over one database. */
function instances(): [IdempotencyService, IdempotencyService] {
  if (here === undefined || there === undefined) throw new Error('set up first');
  return [here, there];
}

const done = (value = 'done', kept: string | null = value) => vi.fn(async (): Promise<WriteOutcome<string>> => ({ value, kept }));
const age = (seconds: number) =>
  sql`update idempotency_keys set created_at = created_at - make_interval(secs => ${seconds}), lease_until = lease_until - make_interval(secs => ${seconds})`.execute(
    database.db,
  );

describe('a write with a key', () => {
  it('is done once, by whichever of two instances is asked, and then told again', async () => {
    const [one, other] = instances();
    const work = done();
    expect(await one.run(TENANT, WRITE, work)).toEqual({ status: 'done', value: 'done' });
    for (const instance of [one, other])
      expect(await instance.run(TENANT, WRITE, work)).toEqual({ status: 'replayed', kept: 'done' });
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('has one effect when fifty equal ones come at once to two instances', async () => {
    const work = done();
    const both = instances();
    const runs = Array.from({ length: 50 }, (_, index) => both[index % 2 === 0 ? 0 : 1].run(TENANT, WRITE, work));
    const outcomes = await Promise.allSettled(runs);
    expect(work).toHaveBeenCalledTimes(1);
    const told = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.status : outcome.reason.code));
    expect(told.filter((status) => status === 'done')).toHaveLength(1);
    expect(told.every((status) => ['done', 'replayed', 'idempotency_key_in_use'].includes(status))).toBe(true);
  });

  it('is refused while the first is under way, and says when to ask again', async () => {
    const [one, other] = instances();
    const { promise, resolve } = Promise.withResolvers<WriteOutcome<string>>();
    const started = Promise.withResolvers<void>();
    const first = one.run(TENANT, WRITE, () => {
      started.resolve();
      return promise;
    });
    await started.promise;
    await expect(other.run(TENANT, WRITE, done())).rejects.toMatchObject({ code: 'idempotency_key_in_use', retryAfterMs: 1000 });
    const another = { ...WRITE, fingerprint: 'two' };
    await expect(other.run(TENANT, another, done())).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    resolve({ value: 'late', kept: 'late' });
    expect(await first).toEqual({ status: 'done', value: 'late' });
    expect(await other.run(TENANT, WRITE, done())).toEqual({ status: 'replayed', kept: 'late' });
  });

  it('is refused for another request, and free for another tenant', async () => {
    const [one] = instances();
    await one.run(TENANT, WRITE, done('mine'));
    const another = { ...WRITE, fingerprint: 'two' };
    await expect(one.run(TENANT, another, done())).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect(await one.run(OTHER_TENANT_ID, another, done('theirs'))).toEqual({ status: 'done', value: 'theirs' });
    expect(await one.run(TENANT, WRITE, done())).toEqual({ status: 'replayed', kept: 'mine' });
  });

  it('may be tried again when it failed, or its answer is not to be kept', async () => {
    const [one] = instances();
    await expect(one.run(TENANT, WRITE, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await one.run(TENANT, WRITE, done('busy', null))).toEqual({ status: 'done', value: 'busy' });
    expect(await one.run(TENANT, WRITE, done('good'))).toEqual({ status: 'done', value: 'good' });
  });
});

describe('a key', () => {
  it('is free again for the same request once the lease of a dead process has run out', async () => {
    const [one, other] = instances();
    const started = Promise.withResolvers<void>();
    const dead = Promise.withResolvers<WriteOutcome<string>>();
    const lost = one.run(TENANT, WRITE, () => {
      started.resolve();
      return dead.promise;
    });
    await started.promise;
    await age(31);
    await expect(other.run(TENANT, { ...WRITE, fingerprint: 'two' }, done())).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    expect(await other.run(TENANT, WRITE, done('second'))).toEqual({ status: 'done', value: 'second' });
    // The one that was only frozen does not overwrite what the second kept.
    dead.resolve({ value: 'first', kept: 'first' });
    await lost;
    expect(await other.run(TENANT, WRITE, done())).toEqual({ status: 'replayed', kept: 'second' });
  });

  it('keeps its lease however long the write takes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const [one, other] = instances();
      const started = Promise.withResolvers<void>();
      const slow = Promise.withResolvers<WriteOutcome<string>>();
      const first = one.run(TENANT, WRITE, () => {
        started.resolve();
        return slow.promise;
      });
      await started.promise;
      await age(31);
      vi.advanceTimersByTime(10_000);
      const isRenewed = async (): Promise<unknown> =>
        (await sql<{ renewed: boolean }>`select lease_until > now() as renewed from idempotency_keys`.execute(database.db)).rows;
      await vi.waitFor(async () => expect(await isRenewed()).toEqual([{ renewed: true }]), 10_000);
      await expect(other.run(TENANT, WRITE, done())).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
      slow.resolve({ value: 'late', kept: 'late' });
      await first;
    } finally {
      vi.useRealTimers();
    }
  });

  it('is forgotten after a day', async () => {
    const [one] = instances();
    await one.run(TENANT, WRITE, done('old'));
    await age(86_300);
    await one.forgetOld(new AbortController().signal);
    expect(await one.run(TENANT, WRITE, done())).toEqual({ status: 'replayed', kept: 'old' });
    await age(101);
    expect(await one.run(TENANT, { ...WRITE, fingerprint: 'two' }, done('new'))).toEqual({ status: 'done', value: 'new' });
    await age(86_401);
    await one.forgetOld(new AbortController().signal);
    expect((await sql`select from idempotency_keys`.execute(database.db)).rows).toEqual([]);
  });
});
