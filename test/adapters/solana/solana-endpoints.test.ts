import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FaultMode, type FaultServer, startFaultServer } from '../../../localnet/fault-server.ts';
import type { SolanaNode } from '../../../localnet/solana/solana-node.ts';
import { TOKEN_PROGRAM } from '../../../src/adapters/solana/programs.ts';
import { bytesOfAddress } from '../../../src/adapters/solana/solana-address.ts';
import { type ProxiedCall, type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { amountOf, createSource, entryOf, read, readingsOf, startTwoWallets, type TwoWallets } from './solana-setup.ts';

const DEAD = 'http://127.0.0.1:9';

let two: TwoWallets | undefined;
let node: SolanaNode;
let proxy: RpcProxy;
let alice: string;
let bob: string;
let dollar: string;
let scaled: string;

beforeAll(async () => {
  two = await startTwoWallets();
  ({ node, proxy, alice, bob, dollar, scaled } = two);
});
beforeEach(() => two?.reset());
afterAll(() => two?.close());

describe('endpoints', () => {
  const fails = (call: ProxiedCall): boolean => call.method === 'getTokenAccountsByOwner' && call.params[0] === bob;
  const unhealthy = { error: { code: -32005, message: 'Node is unhealthy' } };

  test('half a batch in error fails only the wallets concerned, and they alone are asked of the next endpoint', async () => {
    proxy.intercept = (call) => (fails(call) ? unhealthy : undefined);
    const alone = await read(createSource([proxy.url]), [alice, bob]);
    expect(amountOf(readingsOf(alone, alice).get(dollar))).toBe(1_000n);
    expect(entryOf(alone, bob, 'balances')).toMatchObject({ status: 'failed', error: { provider: expect.any(String) } });

    const second = await startRpcProxy(node.rpcUrl);
    const both = await read(createSource([proxy.url, second.url]), [alice, bob]);
    await second.close();
    expect(amountOf(readingsOf(both, bob).get(dollar))).toBe(2_000n);
    const asked = second.calls.filter(({ method }) => method === 'getTokenAccountsByOwner').map(({ params }) => params[0]);
    expect(asked).toEqual([bob, bob]);
  });

  test('mints that one endpoint does not tell are asked of the next, and without any fail alone', async () => {
    proxy.intercept = ({ method, params }) =>
      method === 'getMultipleAccounts' && (params[0] as string[]).includes(scaled) ? unhealthy : undefined;
    const alone = readingsOf(await read(createSource([proxy.url]), [alice]), alice);
    expect(amountOf(alone.get(dollar))).toBe(1_000n);
    expect(alone.get(scaled)).toMatchObject({ status: 'failed', error: { provider: expect.any(String) } });
    const both = readingsOf(await read(createSource([proxy.url, node.rpcUrl]), [alice]), alice);
    expect(both.get(scaled)).toMatchObject({ status: 'ok', amountRaw: 10_000n });
  });

  test('the later calls ask for the slot of the first, and an endpoint behind it is passed over', async () => {
    await read(createSource([proxy.url]), [alice]);
    const slots = proxy.calls.flatMap(({ method, params }) =>
      method === 'getTokenAccountsByOwner' ? [(params[2] as { minContextSlot: number }).minContextSlot] : [],
    );
    expect(slots).toEqual([Number(node.slot()), Number(node.slot())]);

    const ahead = {
      result: { context: { slot: 900_000 }, value: [{ lamports: 1, owner: TOKEN_PROGRAM, data: ['', 'base64'] }] },
    };
    proxy.intercept = ({ method }) => (method === 'getMultipleAccounts' ? ahead : undefined);
    const behind = entryOf(await read(createSource([proxy.url]), [alice]), alice, 'balances');
    expect(behind).toMatchObject({ status: 'failed' });
  });

  test('the block is the lowest slot that any part was read at', async () => {
    proxy.intercept = ({ method }) =>
      method === 'getProgramAccounts' ? { result: { context: { slot: 17 }, value: [] } } : undefined;
    expect((await read(createSource([proxy.url]), [alice])).block).toEqual({ number: 17n, hash: null });
  });

  const faults: readonly FaultMode[] = [
    'hang',
    'html200',
    'truncated',
    'reset',
    'missing-ids',
    'wrong-chain',
    'r429',
    'status-500',
  ];
  test.each(faults)('an endpoint with the fault %s is passed over, and alone fails by name', async (mode) => {
    const server: FaultServer = await startFaultServer({ upstreamUrl: node.rpcUrl });
    try {
      const both = await read(createSource([server.url(mode), node.rpcUrl], 500), [alice]);
      expect(amountOf(readingsOf(both, alice).get(dollar))).toBe(1_000n);
      expect(amountOf(readingsOf(both, alice, 'stake').get(null))).toBe(100_000n);
      const alone = await read(createSource([server.url(mode)], 500), [alice]);
      expect(alone.block).toBeNull();
      for (const entry of alone.addresses) {
        expect(entry).toMatchObject({ status: 'failed', error: { code: expect.stringMatching(/^upstream_/) } });
      }
    } finally {
      await server.close();
    }
  });
});

describe('stake', () => {
  test('an endpoint that refuses the search makes it unsupported, not zero, and is not asked again', async () => {
    node.setProgramSearch(false);
    const source = createSource([proxy.url]);
    for (const wallets of [[alice, bob], [bob]]) {
      const reading = await read(source, wallets);
      for (const wallet of wallets) {
        expect(entryOf(reading, wallet, 'stake')).toMatchObject({
          status: 'unsupported',
          error: { code: 'upstream_unsupported', provider: expect.any(String) },
        });
        expect(entryOf(reading, wallet, 'balances').status).toBe('ok');
      }
    }
    expect(proxy.calls.filter(({ method }) => method === 'getProgramAccounts')).toHaveLength(1);
  });

  test('a search refused by one endpoint is made by another', async () => {
    proxy.intercept = ({ method }) =>
      method === 'getProgramAccounts' ? { error: { code: -32601, message: 'Method not found' } } : undefined;
    const reading = await read(createSource([proxy.url, node.rpcUrl]), [alice, bob]);
    expect(amountOf(readingsOf(reading, alice, 'stake').get(null))).toBe(100_000n);
    expect(amountOf(readingsOf(reading, bob, 'stake').get(null))).toBe(200_000n);
  });

  test('a search that failed for now is a failure, also where another endpoint refuses it', async () => {
    proxy.intercept = ({ method }) =>
      method === 'getProgramAccounts' ? { error: { code: -32005, message: 'Node is unhealthy' } } : undefined;
    expect(entryOf(await read(createSource([proxy.url]), [alice]), alice, 'stake').status).toBe('failed');
    node.setProgramSearch(false);
    expect(entryOf(await read(createSource([proxy.url, node.rpcUrl]), [alice]), alice, 'stake').status).toBe('failed');
    expect(entryOf(await read(createSource([DEAD, node.rpcUrl]), [alice]), alice, 'stake').status).toBe('failed');
  });

  test('stake accounts of another withdrawer are not believed', async () => {
    const data = Buffer.alloc(76);
    data[0] = 2;
    data.set(bytesOfAddress(bob), 44);
    const entry = {
      pubkey: node.address('told'),
      account: { lamports: 5, owner: 'Stake11111111111111111111111111111111111111', data: [data.toString('base64'), 'base64'] },
    };
    proxy.intercept = ({ method }) =>
      method === 'getProgramAccounts' ? { result: { context: { slot: 5_000 }, value: [entry] } } : undefined;
    expect(entryOf(await read(createSource([proxy.url]), [alice]), alice, 'stake')).toMatchObject({ status: 'failed' });
  });
});
