import { getAddress } from 'ethers/address';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createEvmTransferSource } from '../../../../src/adapters/evm/transfers/evm-transfer-source.ts';
import type { EndpointPool } from '../../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import type { RpcCall, RpcEndpoint } from '../../../../src/lib/json-rpc/rpc-endpoint.ts';
import { toHexWord } from '../../../support/hex-word.ts';
import { LOCAL_CHAIN, walletAddress } from '../evm-setup.ts';

const WALLET = walletAddress(1);
const TOKEN = walletAddress(2);
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
const HASH = `0x${'ab'.repeat(32)}`;
const BLOCK = { number: '0x64', hash: HASH, timestamp: '0x6553f100' };
const { signal } = new AbortController();

/** A pool of one endpoint, whose answers are made up by the method. */
function poolOf(answers: Readonly<Record<string, unknown>>): EndpointPool {
  const answer = ({ method, params }: RpcCall): unknown => {
    if (method === 'eth_chainId') return '0x7a69';
    if (method === 'eth_getBlockByNumber' && !('block' in answers)) {
      return String(params[0]).startsWith('0x') ? { ...BLOCK, number: params[0] } : BLOCK;
    }
    return answers[method] ?? [];
  };
  const endpoint = {
    name: 'made.up',
    learnt: new Map(),
    call: async (call: RpcCall) => answer(call),
    batch: async (calls: readonly RpcCall[]) => calls.map((call) => ({ ok: true, value: answer(call) })),
  } as unknown as RpcEndpoint;
  return { run: (task: (one: RpcEndpoint, own: AbortSignal) => unknown) => task(endpoint, signal) } as unknown as EndpointPool;
}

function read(answers: Readonly<Record<string, unknown>>) {
  const source = createEvmTransferSource({ chain: LOCAL_CHAIN, pool: poolOf(answers) });
  const query = { walletId: 'w', address: WALLET, fromBlock: 1n, toBlock: 50n, cursor: null };
  return source.readTransfers([query], { signal, tokens: new Set([TOKEN]) });
}

const LOG = {
  address: TOKEN.toLowerCase(),
  topics: [TRANSFER, `0x${toHexWord(walletAddress(3))}`, `0x${toHexWord(WALLET)}`],
  data: `0x${toHexWord(5n)}`,
  blockNumber: '0x5',
  transactionHash: HASH,
  logIndex: '0x0',
  blockTimestamp: '0x6553f100',
  removed: false,
};
const TRACE = {
  type: 'call',
  action: { from: walletAddress(3).toLowerCase(), to: WALLET.toLowerCase(), value: '0x7', callType: 'call' },
  blockNumber: 5,
  transactionHash: HASH,
  traceAddress: [],
};
const RECEIPT = { from: walletAddress(3), blockNumber: '0x5', gasUsed: '0x5208', effectiveGasPrice: '0x2' };

it('reads a log and a trace that are as they should be', async () => {
  const [reading] = await read({ eth_getLogs: [LOG], trace_filter: [TRACE], eth_getTransactionReceipt: RECEIPT });
  expect(reading).toMatchObject({
    status: 'ok',
    transfers: [
      { amountRaw: 5n, asset: { address: TOKEN }, reference: `${HASH}:0` },
      { amountRaw: 7n, asset: { address: null }, reference: `${HASH}:trace` },
    ],
  });
});

/** The same thing with one of its fields as something else, or anything at all. */
function spoilt(good: object): fc.Arbitrary<unknown> {
  const one = fc
    .tuple(
      fc.constantFrom(...Object.keys(good)),
      fc.oneof(fc.jsonValue(), fc.constant(`0x${'f'.repeat(64)}`), fc.bigInt().map(String)),
    )
    .map(([field, value]) => ({ ...good, [field]: value }));
  return fc.oneof({ weight: 4, arbitrary: one }, { weight: 1, arbitrary: fc.jsonValue() });
}

it('whatever an endpoint answers, every reading is a failure or holds transfers that can be kept', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(spoilt(LOG), { maxLength: 3 }),
      fc.oneof(fc.array(spoilt(TRACE), { maxLength: 3 }), fc.jsonValue()),
      spoilt(RECEIPT),
      async (logs, traces, receipt) => {
        const [reading] = await read({
          eth_getLogs: logs,
          trace_filter: traces,
          trace_transaction: traces,
          eth_getTransactionReceipt: receipt,
        });
        if (reading?.status !== 'ok') {
          expect(reading).toMatchObject({ status: 'failed', error: { code: 'upstream_malformed' } });
          return;
        }
        for (const { amountRaw, asset, occurredAt, blockNumber, counterparty } of reading.transfers) {
          expect(amountRaw).not.toBe(0n);
          expect(amountRaw < 2n ** 256n).toBe(true);
          expect([TOKEN, null]).toContain(asset.address);
          expect(Number.isNaN(occurredAt.getTime())).toBe(false);
          expect(blockNumber >= 1n && blockNumber <= 50n).toBe(true);
          if (counterparty !== null) expect(counterparty).toBe(getAddress(counterparty));
        }
      },
    ),
    { numRuns: 300 },
  );
});
