import { address } from '@solana/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type SolanaNode, startSolanaNode } from '../../../../localnet/solana/solana-node.ts';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
import { TOKEN_PROGRAM } from '../../../../src/adapters/solana/programs.ts';
import { type ProxiedCall, type RpcProxy, startRpcProxy } from '../../../support/rpc-proxy.ts';
import { accountBytes, createSource, LOCAL_CLUSTER, START, signal } from '../solana-setup.ts';
import {
  changeOf,
  createActs,
  createTransferSource,
  holdingsOf,
  type Person,
  personOf,
  queryOf,
  readOne,
  readThrough,
  sumOf,
  type Token,
  withoutZeros,
} from './transfer-setup.ts';

const SOL = 1_000_000_000n;
/** More than one page of signatures, and more than one turn of transactions. */
const PAYMENTS = 230;

let node: SolanaNode;
let proxy: RpcProxy;
let acts: ReturnType<typeof createActs>;
let ann: Person;
let ben: Person;
let dollar: Token;
let from: bigint;
/** What the payments moved in ann's and ben's balances. */
let moved: readonly Record<string, bigint>[];

beforeAll(async () => {
  node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  proxy = await startRpcProxy(node.rpcUrl);
  acts = createActs(node);
  [ann, ben] = await Promise.all([personOf('ann'), personOf('ben')]);
  dollar = { kind: 'spl', decimals: 6, mint: address(await node.createMint('dollar', { kind: 'spl', decimals: 6 })) };
  for (const { at } of [ann, ben]) {
    node.setSol(at, 10n * SOL);
    await node.mintTo(dollar.mint, at, 1_000_000n);
  }
  const balances = createSource([node.rpcUrl]);
  const people = [ann, ben];
  const before = await Promise.all(people.map((person) => holdingsOf(balances, person)));
  from = node.slot() + 1n;
  const [source, target] = [await acts.accountOf(dollar, ann), await acts.accountOf(dollar, ben)];
  for (let n = 1n; n <= PAYMENTS; n += 1n) {
    const isSameSlot = n % 3n === 0n;
    const pay = make.transferToken({ ...dollar, from: source, to: target, owner: ann.at, amount: n });
    await node.transact({ payer: 'ann', instructions: [pay], isSameSlot });
  }
  await acts.sendSol(ben, ann, SOL);
  moved = await Promise.all(people.map(async (person, n) => changeOf(before[n] ?? {}, await holdingsOf(balances, person))));
}, 60_000);
beforeEach(() => {
  proxy.intercept = () => undefined;
  proxy.calls = [];
  proxy.requests = 0;
  node.setFirstAvailable(0n);
});
afterAll(async () => {
  await proxy?.close();
  await node?.stop();
});

const asked = (method: string): readonly ProxiedCall[] => proxy.calls.filter((call) => call.method === method);
const signaturesAsked = (): readonly unknown[] => asked('getTransaction').map(({ params }) => params[0]);

describe('how much is asked', () => {
  test('each transaction once, whatever accounts and wallets of ours it names, and few requests', async () => {
    const source = createTransferSource([proxy.url]);
    const queries = [queryOf(ann, from), queryOf(ben, from)];

    const readings = await source.readTransfers(queries, { signal, tokens: new Set() });

    expect(readings.map((one) => one.status === 'ok' && withoutZeros(sumOf(one.transfers)))).toEqual(moved);
    for (const one of readings) expect(one).toMatchObject({ cursor: null, through: { number: node.slot(), hash: null } });
    expect(signaturesAsked().length).toBe(PAYMENTS + 1);
    expect(new Set(signaturesAsked()).size).toBe(PAYMENTS + 1);
    // Genesis, token accounts, stakes one wallet at a time, the oldest block kept, three rounds of pages, and the transactions by fifty.
    expect(proxy.requests).toBeLessThanOrEqual(1 + 1 + 2 + 1 + 3 + Math.ceil(PAYMENTS / 50) + 3);
  });

  test('what was read of one wallet is not asked again for the other', async () => {
    const source = createTransferSource([proxy.url]);
    await readThrough(source, ann, from);
    proxy.calls = [];
    await readThrough(source, ben, from);
    expect(signaturesAsked()).toEqual([]);
  });

  test('nothing new costs a page for each account, and no transaction', async () => {
    const told = await readOne(createTransferSource([proxy.url]), queryOf(ann, node.slot()));
    expect(told.transfers.length).toBe(1);
    proxy.calls = [];
    const later = await readOne(createTransferSource([proxy.url]), queryOf(ann, node.slot() + 1n));
    expect(later).toMatchObject({ transfers: [], through: null, cursor: null });
    expect(asked('getSignaturesForAddress')).toEqual([]);
    expect(asked('getTransaction')).toEqual([]);
  });
});

describe('a stretch that is broken off', () => {
  test('is gone on with after a restart where it stopped: nothing is told twice, asked twice or left out', async () => {
    const oldest = node.transactions.find(({ slot }) => slot >= from)?.signature;
    const broken = (call: ProxiedCall) =>
      call.method === 'getTransaction' && call.params[0] === oldest
        ? { error: { code: 429, message: 'Too many requests for a specific RPC call' } }
        : undefined;
    proxy.intercept = broken;
    const first = await readOne(createTransferSource([proxy.url]), queryOf(ben, from));
    expect(first.through).toBeNull();
    expect(first.transfers.length).toBeGreaterThan(50);

    proxy.intercept = () => undefined;
    const before = new Set(first.transfers.map(({ txHash }) => txHash));
    proxy.calls = [];
    // Time goes on meanwhile.
    await acts.sendSol(ann, ben, 1n);
    const second = await readOne(createTransferSource([proxy.url]), queryOf(ben, from, first.cursor));

    expect(second).toMatchObject({ cursor: null, through: { number: node.slot() - 1n } });
    expect(signaturesAsked().filter((one) => before.has(String(one)))).toEqual([]);
    const references = [...first.transfers, ...second.transfers].map(({ reference }) => reference);
    expect(new Set(references).size).toBe(references.length);
    expect(sumOf([...first.transfers, ...second.transfers])).toEqual(moved[1]);
    // What came meanwhile belongs to the next stretch.
    const next = await readOne(createTransferSource([proxy.url]), queryOf(ben, node.slot()));
    expect(sumOf(next.transfers)).toEqual({ native: 1n });
  });

  test('begins anew with a cursor that it did not write', async () => {
    const { transfers } = await readOne(createTransferSource([proxy.url]), queryOf(ann, from, '{"v":2}'));
    expect(transfers.length).toBeGreaterThan(2 * PAYMENTS);
  });

  test('is given up with its signal', async () => {
    const controller = new AbortController();
    proxy.intercept = ({ method }) => {
      if (method === 'getTransaction') controller.abort();
      return method === 'getTransaction' ? 'hang' : undefined;
    };
    const source = createTransferSource([proxy.url]);
    const reading = source.readTransfers([queryOf(ann, from)], { signal: controller.signal, tokens: new Set() });
    await expect(reading).rejects.toThrow();
  });
});

describe('what endpoints do not tell', () => {
  const refusals: readonly (readonly [string, string, unknown, string, string])[] = [
    ['a limit', 'getTransaction', { error: { code: 429, message: 'Too many requests' } }, 'failed', 'upstream_rate_limited'],
    [
      'a version of transactions to come',
      'getTransaction',
      { error: { code: -32015, message: 'Transaction version (2) is not supported by the requesting client.' } },
      'unsupported',
      'upstream_unsupported',
    ],
    ['a transaction that it does not have', 'getTransaction', { result: null }, 'failed', 'upstream_block_unavailable'],
    [
      'a past that it does not keep',
      'getSignaturesForAddress',
      { error: { code: -32011, message: 'Transaction history is not available from this node' } },
      'unsupported',
      'upstream_unsupported',
    ],
    [
      'a slot that it lacks',
      'getTransaction',
      { error: { code: -32009, message: 'Slot 5 was skipped, or missing in long-term storage' } },
      'failed',
      'upstream_block_unavailable',
    ],
    ['a list of another shape', 'getSignaturesForAddress', { result: [{ signature: 7 }] }, 'failed', 'upstream_malformed'],
    ['a transaction of another shape', 'getTransaction', { result: { slot: 5 } }, 'failed', 'upstream_malformed'],
  ];
  test.each(refusals)('%s is told with its code, and the next endpoint is asked', async (_, method, answer, status, code) => {
    proxy.intercept = (call) => (call.method === method ? (answer as { result: unknown }) : undefined);
    const [alone] = await createTransferSource([proxy.url]).readTransfers([queryOf(ann, from)], { signal, tokens: new Set() });
    expect(alone).toMatchObject({ walletId: 'ann', status, error: { code, provider: expect.any(String) } });
    const both = await readThrough(createTransferSource([proxy.url, node.rpcUrl]), ann, node.slot() - 1n);
    expect(both.length).toBeGreaterThan(0);
  });

  test('a wallet with thousands of accounts is not supported, and others are read none the less', async () => {
    const whale = await personOf('whale');
    for (let n = 0; n < 2_000; n += 1) {
      const data = accountBytes({ mint: dollar.mint, owner: whale.at, amount: 1n });
      node.setData(node.address(`account ${n}`), TOKEN_PROGRAM, data);
    }
    const source = createTransferSource([node.rpcUrl]);
    const [big, small] = await source.readTransfers([queryOf(whale, from), queryOf(ann, node.slot())], {
      signal,
      tokens: new Set(),
    });
    expect(big).toMatchObject({ status: 'unsupported', error: { code: 'upstream_unsupported' } });
    expect(small).toMatchObject({ status: 'ok', cursor: null });
  });

  test('a list that begins later than the stretch must not pass for the whole of it', async () => {
    node.setFirstAvailable(from + 3n);
    const source = createTransferSource([node.rpcUrl]);
    const [early, late] = await source.readTransfers([queryOf(ann, from), queryOf(ben, from + 3n)], {
      signal,
      tokens: new Set(),
    });
    expect(early).toMatchObject({ status: 'unsupported', error: { code: 'upstream_unsupported' } });
    expect(late).toMatchObject({ status: 'ok', cursor: null });
  });

  test('a time that the chain did not write down is asked for, and without one nothing is told', async () => {
    const { slot, signature } = node.transactions.at(-1) ?? { slot: 0n, signature: '' };
    const answer = await fetch(node.rpcUrl, {
      method: 'POST',
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'getTransaction',
        params: [signature, { maxSupportedTransactionVersion: 1 }],
      }),
    });
    const { result } = (await answer.json()) as { result: object };
    const timeless = ({ method, params }: ProxiedCall) => {
      if (method === 'getTransaction' && params[0] === signature) return { result: { ...result, blockTime: null } };
      if (method !== 'getSignaturesForAddress') return undefined;
      return { result: [{ signature, slot: Number(slot), err: null, blockTime: null, memo: null }] };
    };
    proxy.intercept = timeless;
    const told = await readOne(createTransferSource([proxy.url]), queryOf(ann, slot));
    expect(told.transfers[0]?.occurredAt).toEqual(new Date(Number(START) * 1000));
    proxy.intercept = (call) => (call.method === 'getBlockTime' ? { result: null } : timeless(call));
    const [failed] = await createTransferSource([proxy.url]).readTransfers([queryOf(ann, slot)], { signal, tokens: new Set() });
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'upstream_block_unavailable' } });
  });
});
