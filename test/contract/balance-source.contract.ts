import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BalanceSource } from '../../src/adapters/balance-source.ts';

/** A chain on which one wallet holds coins and a token, another holds nothing, and one endpoint is gone. */
export type BalanceSourceWorld = {
  readonly source: BalanceSource;
  /** The same chain through an endpoint that nobody listens at. */
  readonly deadSource: BalanceSource;
  readonly holder: string;
  readonly emptyWallet: string;
  readonly nativeRaw: bigint;
  readonly token: string;
  readonly tokenRaw: bigint;
  readonly tokenDecimals: number;
  /** An address at which there is no token. */
  readonly notAToken: string;
  close(): Promise<void>;
};

/** What every implementation of BalanceSource owes its callers. */
export function describeBalanceSource(name: string, setUp: () => Promise<BalanceSourceWorld>): void {
  describe(`${name} as a balance source`, () => {
    let world: BalanceSourceWorld;
    const signal = new AbortController().signal;
    beforeAll(async () => {
      world = await setUp();
    });
    afterAll(() => world?.close());

    const read = (source: BalanceSource, addresses: readonly string[], by = signal) =>
      source.readBalances({ addresses, tokens: [world.token], signal: by });

    test('reads the coin and the token of a wallet, to the unit, at a block', async () => {
      const reading = await read(world.source, [world.holder]);
      expect(reading.block?.number).toBeTypeOf('bigint');
      const balances = reading.addresses.find((entry) => entry.kind === 'balances');
      if (balances?.status !== 'ok') throw new Error('the wallet was not read');
      const amounts = new Map(
        balances.readings.map((item) => [item.asset.address, item.status === 'ok' ? item.amountRaw : item.error]),
      );
      expect(amounts.get(null)).toBe(world.nativeRaw);
      expect(amounts.get(world.token)).toBe(world.tokenRaw);
    });

    test('answers for every address and kind, with a zero coin for an empty wallet', async () => {
      const reading = await read(world.source, [world.emptyWallet, world.holder]);
      const answered = reading.addresses.map((entry) => `${entry.address} ${entry.kind}`).toSorted();
      const asked = [world.emptyWallet, world.holder].flatMap((address) =>
        world.source.kinds.map((kind) => `${address} ${kind}`),
      );
      expect(answered).toEqual(asked.toSorted());
      const empty = reading.addresses.find((entry) => entry.address === world.emptyWallet && entry.kind === 'balances');
      if (empty?.status !== 'ok') throw new Error('the wallet was not read');
      const native = empty.readings.find((item) => item.asset.address === null);
      expect(native).toMatchObject({ status: 'ok', amountRaw: 0n });
    });

    test('describes a token from the chain, and says what is none', async () => {
      const described = await world.source.describeTokens([world.token, world.notAToken], signal);
      expect(described.get(world.token)).toMatchObject({
        status: 'ok',
        info: { chain: world.source.chain, address: world.token, decimals: world.tokenDecimals },
      });
      expect(described.get(world.notAToken)).toEqual({ status: 'not_a_token' });
    });

    test('tells its newest block', async () => {
      expect(await world.source.probe(signal)).toMatchObject({ block: { number: expect.any(BigInt) } });
    });

    test('reports an endpoint that is gone as a failure with its name, never as zero and never by throwing', async () => {
      const reading = await read(world.deadSource, [world.holder]);
      expect(reading.block).toBeNull();
      expect(reading.addresses).toHaveLength(world.deadSource.kinds.length);
      for (const entry of reading.addresses) {
        expect(entry).toMatchObject({ status: 'failed', error: { code: 'upstream_unreachable', provider: expect.any(String) } });
      }
      const described = await world.deadSource.describeTokens([world.token], signal);
      expect(described.get(world.token)).toMatchObject({ status: 'failed', error: { code: 'upstream_unreachable' } });
      expect(await world.deadSource.probe(signal)).toMatchObject({ error: { code: 'upstream_unreachable' } });
    });

    test('stops when it is told to', async () => {
      const reading = await read(world.source, [world.holder], AbortSignal.abort());
      expect(reading.addresses.map((entry) => entry.status)).not.toContain('ok');
    });
  });
}
