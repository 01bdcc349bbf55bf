import { describe, expect, it, vi } from 'vitest';
import { createShareByVersion } from '../../../src/adapters/cache/share-by-version.ts';

const MAX_WEIGHT = 100;

function setup() {
  const versions = new Map<string, { key: string }>();
  const share = createShareByVersion<{ weight: number }>({
    knownVersion: (tenantId) => versions.get(tenantId),
    weigh: ({ weight }) => weight,
    maxWeight: MAX_WEIGHT,
    now: () => now,
  });
  let now = 1_000;
  const pass = (ms: number): void => {
    now += ms;
  };
  const read = vi.fn(async () => ({ weight: 10 }));
  const setVersion = (tenantId: string, key: string): void => void versions.set(tenantId, { key });
  return { share, read, setVersion, versions, pass };
}

describe('what was read of a tenant', () => {
  it('is read once for each version, by however many at once', async () => {
    const { share, read, setVersion } = setup();
    setVersion('a', '1.1');
    const all = await Promise.all([share('a', read), share('a', read), share('a', read)]);
    expect(new Set(all).size).toBe(1);
    expect(await share('a', read)).toBe(all[0]);
    expect(read).toHaveBeenCalledTimes(1);
    setVersion('a', '2.1');
    expect(await share('a', read)).not.toBe(all[0]);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('is not for another tenant, and for nobody while changes are not heard of', async () => {
    const { share, read, setVersion, versions } = setup();
    setVersion('a', '1.1');
    setVersion('b', '1.1');
    expect(await share('a', read)).not.toBe(await share('b', read));
    versions.delete('a');
    expect(await share('a', read)).not.toBe(await share('a', read));
    expect(read).toHaveBeenCalledTimes(4);
  });

  it('is read again after a read that failed', async () => {
    const { share, read, setVersion } = setup();
    setVersion('a', '1.1');
    read.mockRejectedValueOnce(new Error('broken'));
    await expect(share('a', read)).rejects.toThrow('broken');
    expect(await share('a', read)).toEqual({ weight: 10 });
  });

  it('is forgotten when there is no room for it, and after a minute', async () => {
    const { share, read, setVersion, pass } = setup();
    const tenants = Array.from({ length: 20 }, (_, index) => `tenant ${index}`);
    for (const tenant of [...tenants, 'huge']) setVersion(tenant, '1.1');
    for (const tenant of tenants) await share(tenant, read);
    await share(tenants.at(-1) ?? '', read);
    expect(read).toHaveBeenCalledTimes(20);
    await share(tenants[0] ?? '', read);
    expect(read).toHaveBeenCalledTimes(21);
    const readHuge = vi.fn(async () => ({ weight: MAX_WEIGHT + 1 }));
    await share('huge', readHuge);
    await share('huge', readHuge);
    expect(readHuge).toHaveBeenCalledTimes(2);
    await share(tenants[0] ?? '', read);
    pass(61_000);
    const before = read.mock.calls.length;
    await share(tenants[0] ?? '', read);
    expect(read).toHaveBeenCalledTimes(before + 1);
  });
});
