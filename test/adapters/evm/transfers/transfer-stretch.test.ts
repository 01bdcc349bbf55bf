import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readStretch, type Stretch } from '../../../../src/adapters/evm/transfers/transfer-stretch.ts';
import { AppError } from '../../../../src/domain/errors.ts';
import type { RpcEndpoint } from '../../../../src/lib/json-rpc/rpc-endpoint.ts';

/** All that a stretch needs of an endpoint is what was learnt of it. */
function fakeEndpoint(): RpcEndpoint {
  return { learnt: new Map() } as unknown as RpcEndpoint;
}

/** Reads blocks to the end from an endpoint that takes so many at a time: what was read and how often it refused. */
async function readAll(endpoint: RpcEndpoint, { from, to, limit }: Stretch & { readonly limit: number }) {
  const parts: Stretch[] = [];
  let refusals = 0;
  for (let at = from; at <= to; ) {
    const { value, to: end } = await readStretch(endpoint, { from: at, to, kind: 'logs' }, async (part) => {
      if (part.to - part.from + 1n <= BigInt(limit)) return part;
      refusals += 1;
      throw new AppError('upstream_too_large', 'too wide');
    });
    parts.push(value);
    at = end + 1n;
  }
  return { parts, refusals };
}

it('whatever an endpoint takes, each block is read once, in order, after few refusals', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200_000 }), fc.bigInt(0n, 10n ** 8n), async (limit, from) => {
      const to = from + BigInt(Math.min(limit * 200, 5_000_000));
      const { parts, refusals } = await readAll(fakeEndpoint(), { from, to, limit });
      expect(parts[0]?.from).toBe(from);
      expect(parts.at(-1)?.to).toBe(to);
      for (const [index, part] of parts.slice(1).entries()) expect(part.from).toBe((parts[index]?.to ?? 0n) + 1n);
      expect(refusals).toBeLessThanOrEqual(20);
      // Close to what the endpoint takes once that is found out.
      const widest = Math.max(...parts.map((part) => Number(part.to - part.from) + 1));
      expect(widest).toBeGreaterThanOrEqual(Math.min(limit, 100_000) / 2);
    }),
    { numRuns: 50 },
  );
});

it('what was learnt of an endpoint is not found out again', async () => {
  const endpoint = fakeEndpoint();
  const first = await readAll(endpoint, { from: 0n, to: 5_000n, limit: 10 });
  const second = await readAll(endpoint, { from: 0n, to: 5_000n, limit: 10 });
  expect(first.refusals).toBeGreaterThan(5);
  expect(second.refusals).toBe(0);
});

it('an endpoint that was late is asked for less the next time, and one that cannot tell a single block is given up', async () => {
  const endpoint = fakeEndpoint();
  const stretch = { from: 1n, to: 8n, kind: 'logs' } as const;
  const fail = (code: 'upstream_timeout' | 'upstream_too_large') => async (): Promise<never> => {
    throw new AppError(code, 'no');
  };
  await expect(readStretch(endpoint, stretch, fail('upstream_timeout'))).rejects.toMatchObject({ code: 'upstream_timeout' });
  expect((await readStretch(endpoint, stretch, async (part) => part)).value).toEqual({ from: 1n, to: 4n });
  await expect(readStretch(endpoint, stretch, fail('upstream_too_large'))).rejects.toMatchObject({ code: 'upstream_too_large' });
});
