import { Contract, JsonRpcProvider, Network } from 'ethers';
import { request } from 'undici';
import type { ChainReading } from '../src/adapters/balance-source.ts';
import { createEvmBalanceSource } from '../src/adapters/evm/evm-balance-source.ts';
import { verifyEvmChain } from '../src/adapters/evm/evm-block.ts';
import { RUNGS, type Rung, stepDown } from '../src/adapters/evm/ladder.ts';
import { mapLimited } from '../src/lib/concurrency.ts';
import { createHttpClient, type HttpClient } from '../src/lib/http-client.ts';
import { createEndpointPool } from '../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createRpcEndpoint } from '../src/lib/json-rpc/rpc-endpoint.ts';
import { amountOf, BENCH_CHAIN, type BenchChain, startBenchChain } from './bench-chain.ts';
import { type BenchLine, median } from './bench-line.ts';
import { startLatencyProxy } from './latency-proxy.ts';

const WALLETS = 100;
const TOKENS = 200;
/** Every balance above zero: the largest answers there can be. */
const EVERY = 1;
const ROUNDS = 9;
const AT_ONCE = 4;

/**
 * Reading 100 wallets x 200 tokens from a real node. The ceiling of a time is the same requests sent with payloads made before and answers not
 * looked at; ethers' own `balanceOf` stands beside it.
 */
export async function benchRefresh(): Promise<readonly BenchLine[]> {
  const bench = await startBenchChain({ walletCount: WALLETS, tokenCount: TOKENS, every: EVERY });
  const lines: BenchLine[] = [];
  try {
    for (const delayMs of [0, 50]) {
      const proxy = delayMs === 0 ? undefined : await startLatencyProxy(bench.chain.rpcUrl, delayMs);
      const url = proxy?.url ?? bench.chain.rpcUrl;
      const ethersMs = delayMs === 0 ? undefined : await timeEthers(bench, url);
      for (const rung of RUNGS) lines.push(...(await benchRung({ bench, url, rung, delayMs, ethersMs })));
      if (ethersMs !== undefined) lines.push({ name: `refresh.ethers.${delayMs}ms`, value: ethersMs, unit: 'ms', ratio: null });
      await proxy?.close();
    }
  } finally {
    await bench.chain.stop();
  }
  return [...lines, ...(await benchThousand())];
}

type RungBench = {
  readonly bench: BenchChain;
  readonly url: string;
  readonly rung: Rung;
  readonly delayMs: number;
  readonly ethersMs: number | undefined;
};

async function benchRung({ bench, url, rung, delayMs, ethersMs }: RungBench): Promise<readonly BenchLine[]> {
  const reader = createReader(url, rung);
  const first = await reader.read(bench);
  requireExact(bench, first);
  await reader.read(bench);
  const sent = reader.takeSent();
  await replay(url, sent);
  const ours: number[] = [];
  const floor: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < (rung === 'single' ? 2 : ROUNDS); round++) {
    const before = process.cpuUsage();
    ours.push(await time(() => reader.read(bench)));
    const used = process.cpuUsage(before);
    cpu.push((used.user + used.system) / 1000);
    floor.push(await time(() => replay(url, sent)));
  }
  await reader.close();
  const name = `refresh.${rung}.${delayMs}ms`;
  const oursMs = median(ours);
  const floorMs = median(floor);
  return [
    { name: `${name}.requests`, value: sent.length, unit: 'requests', ratio: null },
    { name: `${name}.time`, value: oursMs, unit: 'ms', ratio: oursMs / floorMs },
    { name: `${name}.floor`, value: floorMs, unit: 'ms', ratio: 1 },
    ...(delayMs === 0 ? [{ name: `${name}.cpu`, value: median(cpu), unit: 'ms', ratio: null }] : []),
    ...(ethersMs === undefined
      ? []
      : [{ name: `${name}.faster-than-ethers`, value: ethersMs / oursMs, unit: 'times', ratio: null }]),
  ];
}

/** Requests that a thousand wallets cost, at one token held in twenty. */
async function benchThousand(): Promise<readonly BenchLine[]> {
  const bench = await startBenchChain({ walletCount: 1000, tokenCount: TOKENS, every: 20 });
  const lines: BenchLine[] = [];
  for (const rung of ['override', 'deployless', 'multicall'] as const) {
    const reader = createReader(bench.chain.rpcUrl, rung);
    await reader.read(bench);
    reader.takeSent();
    const ms = await time(() => reader.read(bench));
    lines.push({ name: `refresh1000.${rung}.requests`, value: reader.takeSent().length, unit: 'requests', ratio: null });
    lines.push({ name: `refresh1000.${rung}.time`, value: ms, unit: 'ms', ratio: null });
    await reader.close();
  }
  await bench.chain.stop();
  return lines;
}

/** The product's own reader with one endpoint on one rung, and the bodies it sent. */
function createReader(
  url: string,
  rung: Rung,
): { read(bench: BenchChain): Promise<ChainReading>; takeSent(): string[]; close(): Promise<void> } {
  const http = createHttpClient();
  let sent: string[] = [];
  const recording: HttpClient = {
    close: () => http.close(),
    send(options) {
      sent.push(options.body ?? '');
      return http.send(options);
    },
  };
  const endpoint = createRpcEndpoint({ url, family: 'evm', http: recording, timeoutMs: 60_000 });
  stepDown(endpoint, rung);
  const pool = createEndpointPool({ endpoints: [endpoint], verify: verifyEvmChain(BENCH_CHAIN) });
  const source = createEvmBalanceSource({ chain: BENCH_CHAIN, pool });
  const signal = new AbortController().signal;
  return {
    read({ wallets, tokens }) {
      sent = [];
      return source.readBalances({ addresses: wallets, tokens, signal });
    },
    takeSent: () => sent,
    close: () => http.close(),
  };
}

/** The block first, as the reads cannot be pinned without it, then everything else. */
async function replay(url: string, [head = '', ...rest]: readonly string[]): Promise<void> {
  const send = async (body: string): Promise<void> => {
    const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await answer.body.arrayBuffer();
  };
  await send(head);
  await mapLimited(rest, AT_ONCE, send);
}

/** A bench of wrong numbers is worth nothing. */
function requireExact({ wallets, tokens }: BenchChain, reading: ChainReading): void {
  for (const [w, entry] of reading.addresses.entries()) {
    if (entry.status !== 'ok' || entry.address !== wallets[w]) throw new Error(`wallet ${w} was not read`);
    for (const [t] of tokens.entries()) {
      const item = entry.readings[t + 1];
      const expected = (w + t) % EVERY === 0 ? amountOf(w, t) : 0n;
      if (item?.status !== 'ok' || item.amountRaw !== expected) throw new Error(`wallet ${w}, token ${t} is wrong`);
    }
  }
}

async function timeEthers({ wallets, tokens }: BenchChain, url: string): Promise<number> {
  const network = Network.from(BENCH_CHAIN.chainId);
  const provider = new JsonRpcProvider(url, network, { staticNetwork: network });
  const contracts = tokens.map((token) => new Contract(token, ['function balanceOf(address) view returns (uint256)'], provider));
  const ms = await time(async () => {
    for (const wallet of wallets) await Promise.all(contracts.map((contract) => contract.getFunction('balanceOf')(wallet)));
  });
  provider.destroy();
  return ms;
}

async function time(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}
