import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../../../localnet/fault-server.ts';
import { createEvmBalanceSource } from '../../../../src/adapters/evm/evm-balance-source.ts';
import { createArchiveBalanceSource } from '../../../../src/adapters/evm/past/archive-balance-source.ts';
import { createBlockFinder } from '../../../../src/adapters/evm/past/archive-blocks.ts';
import type { PastBalanceSource } from '../../../../src/adapters/past-balance-source.ts';
import type { EndpointPool } from '../../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from '../evm-setup.ts';

const DAY_MS = 86_400_000;
const GENESIS = new Date('2026-03-01T10:00:00Z');
const ALICE = walletAddress(1);
const signal = new AbortController().signal;
let chain: LocalChain;
let faulty: FaultServer;
let token: string;

/** So many days after the first block. */
const day = (count: number): Date => new Date(GENESIS.getTime() + count * DAY_MS);

beforeAll(async () => {
  chain = await startLocalChain({ chainId: LOCAL_CHAIN.chainId, genesisAt: GENESIS });
  faulty = await startFaultServer({ upstreamUrl: chain.rpcUrl });
  for (let count = 1; count <= 20; count += 1) {
    await chain.mineAt(day(count));
    if (count === 3) token = await chain.deploy('Token', ['string', 'string', 'uint8'], ['Token', 'TKN', 6]);
    if (count === 5) await chain.setBalance(token, ALICE, 100n);
    if (count === 9) await chain.setBalance(token, ALICE, 40n);
    if (count === 12) await chain.setBalance(token, ALICE, 0n);
  }
}, 60_000);
afterAll(async () => {
  await Promise.all([chain.stop(), faulty.close()]);
});

function sourceOver(...urls: string[]): { past: PastBalanceSource; pool: EndpointPool } {
  const pool = createPool(urls);
  return {
    past: createArchiveBalanceSource({ chain: LOCAL_CHAIN, pool, blocks: createBlockFinder({ chain: LOCAL_CHAIN, pool }) }),
    pool,
  };
}

async function amountAt(past: PastBalanceSource, moment: Date): Promise<string> {
  const { block, addresses } = await past.readBalancesAt(moment, { addresses: [ALICE], tokens: [token], signal });
  const [reading] = addresses;
  if (reading?.status !== 'ok') return `failed: ${reading?.error.code}`;
  const amounts = reading.readings.map((one) => (one.status === 'ok' ? one.amountRaw : one.error.code));
  return `${amounts.join(' ')} ${block === null ? 'before the chain' : 'at a block'}`;
}

describe('the past of a chain', () => {
  it('is what was held at the last block made by the moment', async () => {
    const { past } = sourceOver(chain.rpcUrl);
    const told = await Promise.all([2, 4, 6, 8.999, 11, 15].map((count) => amountAt(past, day(count))));
    expect(told).toEqual([
      '0 0 at a block',
      '0 0 at a block',
      '0 100 at a block',
      '0 100 at a block',
      '0 40 at a block',
      '0 0 at a block',
    ]);
  });

  it('names the block, which is the last one of its second', async () => {
    const { past } = sourceOver(chain.rpcUrl);
    const { block } = await past.readBalancesAt(new Date(day(7).getTime() - 1), { addresses: [ALICE], tokens: [], signal });
    const header = await chain.rpc('eth_getBlockByNumber', [`0x${block?.number.toString(16)}`, false]);
    expect(header).toMatchObject({ hash: block?.hash });
    const next = await chain.rpc('eth_getBlockByNumber', [`0x${((block?.number ?? 0n) + 1n).toString(16)}`, false]);
    expect(next).toMatchObject({ timestamp: `0x${(day(7).getTime() / 1000).toString(16)}` });
  });

  it('is nothing before the chain began, and not known before it has come past the moment', async () => {
    const { past } = sourceOver(chain.rpcUrl);
    expect(await amountAt(past, day(-1))).toBe('0 0 before the chain');
    await expect(amountAt(past, day(30))).rejects.toMatchObject({ code: 'upstream_block_unavailable' });
  });

  it('takes few requests once the times of some blocks are known', async () => {
    const { past } = sourceOver(faulty.url('ok'));
    await amountAt(past, day(10));
    const before = faulty.requests();
    await amountAt(past, day(9.5));
    expect(faulty.requests() - before).toBeLessThanOrEqual(6);
  });

  it.each(['no-past', 'pruned-node'] as const)('is asked of another endpoint where one does not keep it (%s)', async (mode) => {
    const { past, pool } = sourceOver(faulty.url(mode), chain.rpcUrl);
    expect(await amountAt(past, day(6))).toBe('0 100 at a block');
    expect(pool.status().map(({ state, failures }) => [state, failures])).toEqual([
      ['alive', 0],
      ['alive', 0],
    ]);
    const before = faulty.requests();
    expect(await amountAt(past, day(6))).toBe('0 100 at a block');
    // It is asked for blocks still, but not for that state.
    const asked = faulty.requests() - before;
    expect(asked).toBeLessThanOrEqual(1);
  });

  it.each(['no-past', 'pruned-node'] as const)(
    'is told as such where nobody keeps it (%s), and reads of the newest block go on',
    async (mode) => {
      faulty.setMode(mode);
      const { past, pool } = sourceOver(faulty.url());
      for (let count = 0; count < 10; count += 1) expect(await amountAt(past, day(6))).toBe('failed: upstream_no_history');
      expect(pool.status()[0]).toMatchObject({ state: 'alive', breaker: 'closed', failures: 0 });
      faulty.setMode('ok');
      const now = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool });
      const { addresses } = await now.readBalances({ addresses: [ALICE], tokens: [token], signal });
      expect(addresses[0]).toMatchObject({ status: 'ok' });
      // For a while nobody asks again.
      expect(await amountAt(past, day(6))).toBe('failed: upstream_no_history');
    },
  );

  it('is not said to be kept by nobody while an endpoint is out of reach', async () => {
    const { past } = sourceOver(faulty.url('no-past'), 'http://127.0.0.1:9');
    expect(await amountAt(past, day(6))).toBe('failed: upstream_unreachable');
  });
});
