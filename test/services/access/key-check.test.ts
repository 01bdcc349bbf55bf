import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FoundKey } from '../../../src/db/access/key-store.ts';
import { toKeyParts, writeKey } from '../../../src/domain/api-key.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createKeyCheck } from '../../../src/services/access/key-check.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PARTS = toKeyParts({ id: new Uint8Array(16).fill(7), secret: new Uint8Array(32).fill(9) });
const TEXT = writeKey(PARTS);
const WRONG = writeKey({ ...PARTS, secret: toKeyParts({ id: new Uint8Array(16), secret: new Uint8Array(32) }).secret });

function buildKey(overrides: Partial<FoundKey> = {}): FoundKey {
  return {
    tenantId: 'tenant',
    id: PARTS.id,
    name: 'test',
    scopes: ['read:values'],
    createdAt: new Date(),
    expiresAt: null,
    lastUsedAt: new Date(),
    revokedAt: null,
    replacedBy: null,
    secretHash: createHash('sha256').update(PARTS.secret).digest(),
    ...overrides,
  };
}

function setup(first: FoundKey | undefined) {
  const found = { key: first };
  const find = vi.fn(async () => found.key);
  const noteUse = vi.fn(async () => undefined);
  const beforeLookup = vi.fn();
  const check = createKeyCheck({ store: { find, noteUse }, now: () => new Date() });
  const refusal = async (text: string): Promise<string> =>
    check.authenticate(text, beforeLookup).then(
      () => 'let in',
      (error) => `${error.code}: ${error.message}`,
    );
  return { check, found, find, noteUse, beforeLookup, refusal, enter: () => check.authenticate(TEXT, beforeLookup) };
}

describe('a key', () => {
  it('stands for its tenant with its scopes and what they hold', async () => {
    const { enter } = setup(buildKey());
    expect(await enter()).toEqual({ tenantId: 'tenant', keyId: PARTS.id, scopes: new Set(['read:values', 'read:percent']) });
  });

  it('with a typo is refused without a look-up', async () => {
    const { refusal, find, beforeLookup } = setup(buildKey());
    expect(await refusal(`${TEXT.slice(0, -1)}-`)).toBe('unauthorized: This is not a key: check it for a typo.');
    expect(find).not.toHaveBeenCalled();
    expect(beforeLookup).not.toHaveBeenCalled();
  });

  it('that is unknown is refused as one with a wrong secret is, and looked up once in three seconds', async () => {
    const unknown = setup(undefined);
    const wrong = setup(buildKey({ revokedAt: new Date() }));
    for (let i = 0; i < 3; i++) {
      expect(await unknown.refusal(TEXT)).toBe('unauthorized: There is no such key.');
      expect(await wrong.refusal(WRONG)).toBe('unauthorized: There is no such key.');
    }
    expect(unknown.find).toHaveBeenCalledTimes(1);
    expect(wrong.find).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(3_000);
    await unknown.refusal(TEXT);
    expect(unknown.find).toHaveBeenCalledTimes(2);
  });

  it('that has ended says so to whoever has it', async () => {
    expect(await setup(buildKey({ revokedAt: new Date() })).refusal(TEXT)).toBe('unauthorized: The key was revoked.');
    expect(await setup(buildKey({ expiresAt: new Date() })).refusal(TEXT)).toBe('unauthorized: The key has expired.');
  });

  it('ends on time although it is remembered', async () => {
    const { enter, refusal } = setup(buildKey({ expiresAt: new Date(Date.now() + 1_000) }));
    await enter();
    vi.advanceTimersByTime(1_000);
    expect(await refusal(TEXT)).toBe('unauthorized: The key has expired.');
  });
});

describe('a revoked key', () => {
  it('is refused elsewhere three seconds after it was last asked for', async () => {
    const { found, enter, refusal } = setup(buildKey());
    await enter();
    found.key = buildKey({ revokedAt: new Date() });
    vi.advanceTimersByTime(2_999);
    expect(await refusal(TEXT)).toBe('let in');
    vi.advanceTimersByTime(1);
    expect(await refusal(TEXT)).toBe('unauthorized: The key was revoked.');
  });

  it('is refused here at once', async () => {
    const { check, found, enter, refusal } = setup(buildKey());
    await enter();
    found.key = buildKey({ revokedAt: new Date() });
    check.forget(PARTS.id);
    expect(await refusal(TEXT)).toBe('unauthorized: The key was revoked.');
  });

  it('is believed from the moment of the question, not of a late answer', async () => {
    const { find, enter } = setup(buildKey());
    find.mockImplementationOnce(async () => {
      vi.advanceTimersByTime(2_000);
      return buildKey();
    });
    await enter();
    vi.advanceTimersByTime(1_000);
    await enter();
    expect(find).toHaveBeenCalledTimes(2);
  });
});

describe('a look-up', () => {
  it('is shared by those who come while it is under way', async () => {
    const { enter, find, beforeLookup } = setup(buildKey());
    await Promise.all([enter(), enter(), enter()]);
    expect(find).toHaveBeenCalledTimes(1);
    expect(beforeLookup).toHaveBeenCalledTimes(1);
  });

  it('of a key that was there a moment ago is none in vain, whoever tries keys from the same address', async () => {
    const { enter, find, found, refusal, beforeLookup } = setup(buildKey());
    await enter();
    beforeLookup.mockImplementation(() => {
      throw new AppError('rate_limited', 'too many');
    });
    vi.advanceTimersByTime(3_000);
    expect((await enter()).keyId).toBe(PARTS.id);
    expect(find).toHaveBeenCalledTimes(2);
    found.key = undefined;
    vi.advanceTimersByTime(3_000);
    expect(await refusal(TEXT)).toBe('unauthorized: There is no such key.');
    vi.advanceTimersByTime(3_000);
    expect(await refusal(TEXT)).toBe('rate_limited: too many');
  });

  it('that failed is made again for whoever comes next', async () => {
    const { enter, find } = setup(buildKey());
    find.mockRejectedValueOnce(new AppError('database_unavailable', 'down'));
    await expect(enter()).rejects.toMatchObject({ code: 'database_unavailable' });
    expect((await enter()).keyId).toBe(PARTS.id);
  });

  it('is not made when it is not allowed', async () => {
    const { enter, find, beforeLookup } = setup(buildKey());
    beforeLookup.mockImplementationOnce(() => {
      throw new AppError('rate_limited', 'slow down');
    });
    await expect(enter()).rejects.toMatchObject({ code: 'rate_limited' });
    expect(find).not.toHaveBeenCalled();
  });
});

describe('the use of a key', () => {
  it('is noted once a minute, by who had the secret', async () => {
    const { enter, refusal, noteUse } = setup(buildKey({ lastUsedAt: null }));
    await refusal(WRONG);
    expect(noteUse).not.toHaveBeenCalled();
    for (let i = 0; i < 20; i++) {
      await enter();
      vi.advanceTimersByTime(1_000);
    }
    expect(noteUse).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(60_000);
    await enter();
    expect(noteUse).toHaveBeenCalledTimes(2);
  });

  it('is noted again soon when that failed, and keeps nobody out', async () => {
    const { enter, noteUse } = setup(buildKey({ lastUsedAt: null }));
    noteUse.mockRejectedValueOnce(new Error('down'));
    await enter();
    await vi.waitFor(async () => {
      await enter();
      expect(noteUse).toHaveBeenCalledTimes(2);
    });
  });
});
