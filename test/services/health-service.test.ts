import { expect, it } from 'vitest';
import type { BalanceSource } from '../../src/adapters/balance-source.ts';
import { createHealthService } from '../../src/services/health-service.ts';

function deadSource(chain: string, probed: string[]): BalanceSource {
  return {
    chain,
    kinds: ['balances'],
    readBalances: () => Promise.reject(new Error('not asked here')),
    describeTokens: () => Promise.reject(new Error('not asked here')),
    async probe() {
      probed.push(chain);
      return { error: { code: 'upstream_unreachable', provider: 'rpc.example' } };
    },
  };
}

it('asks the database once for all who ask at the same time', async () => {
  const asked: string[] = [];
  const answers = Promise.withResolvers<void>();
  const health = createHealthService({
    version: '0',
    ping: () => {
      asked.push('ping');
      return answers.promise;
    },
    followedChains: async () => {
      asked.push('chains');
      return new Set();
    },
    sources: new Map(),
    log: { warn: () => undefined },
  });
  const all = Promise.all(Array.from({ length: 100 }, () => health.getHealth()));
  answers.resolve();
  expect(new Set((await all).map(({ status }) => status))).toEqual(new Set(['ok']));
  expect(asked).toEqual(['ping', 'chains']);
  await health.getHealth();
  expect(asked).toEqual(['ping', 'chains', 'ping', 'chains']);
});

it('calls the service degraded for a dead chain that a wallet follows, and for no other', async () => {
  const probed: string[] = [];
  const sources = new Map(['ethereum', 'gnosis'].map((chain) => [chain, deadSource(chain, probed)]));
  let followed = new Set<string>();
  const health = createHealthService({
    version: '0',
    ping: async () => undefined,
    followedChains: async () => followed,
    sources,
    log: { warn: () => undefined },
  });
  expect((await health.getHealth()).parts.map((part) => part.status)).toEqual(['ok', 'unknown', 'unknown']);
  health.start();
  await expect.poll(async () => (await health.getHealth()).parts[2]?.status).toBe('down');
  expect((await health.getHealth()).status).toBe('ok');
  followed = new Set(['gnosis']);
  const after = await health.getHealth();
  expect(after.status).toBe('degraded');
  expect(after.parts.map((part) => part.inUse)).toEqual([true, false, true]);
  expect(probed.sort()).toEqual(['ethereum', 'gnosis']);
  await health.stop();
});

it('is degraded by a part that is watched elsewhere, and tells it without asking anybody', async () => {
  const health = createHealthService({
    version: '0',
    ping: async () => undefined,
    followedChains: async () => new Set<string>(),
    sources: new Map(),
    log: { warn: () => undefined },
  });
  expect(health.hasLookedAround()).toBe(false);
  health.start();
  await expect.poll(() => health.hasLookedAround()).toBe(true);
  const part = { name: 'cache', status: 'down', checkedAt: null, error: null, block: null, inUse: true } as const;
  health.addParts(() => [part, { ...part, name: 'spare', inUse: false }]);
  expect(health.listPartsInUse()).toEqual([part]);
  expect(await health.getHealth()).toMatchObject({ status: 'degraded', parts: [{ name: 'database' }, part, { name: 'spare' }] });
  await health.stop();
});
