import { AppError } from '../../../domain/errors.ts';
import { chunk } from '../../../lib/concurrency.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { toDate } from '../evm-block.ts';
import { addressDigits, readHexData, readHexQuantity, wordAt } from '../hex.ts';
import { learn, recall } from '../learnt.ts';
import { type Movement, readAddress, readHash } from './transfer-movement.ts';
import type { Stretch } from './transfer-stretch.ts';

/** keccak256("Transfer(address,address,uint256)"). */
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';
/** With as many, naming the tokens keeps the spam out of the answers; with more it would take more requests. */
const MOST_NAMED = 500;
/** Some public endpoints answer no query that names no token. */
const NAMES_KEY = 'evm-logs-by-name';
const WANTS_NAMES = /specify an address/i;

type LogQuery = {
  /** In lower case. */
  readonly wallets: readonly string[];
  readonly tokens: ReadonlySet<string>;
  readonly stretch: Stretch;
  readonly signal: AbortSignal;
};

/** What the wallets sent and received of the tokens in a stretch of blocks, each movement once. Throws AppError. */
export async function readTokenMovements(endpoint: RpcEndpoint, query: LogQuery): Promise<readonly Movement[]> {
  const { tokens, wallets } = query;
  if (tokens.size === 0) return [];
  const known = new Set([...tokens].map((token) => token.toLowerCase()));
  const own = new Set(wallets);
  const found = new Map<string, Movement>();
  for (const log of await fetchLogs(endpoint, query)) {
    const movement = readLog(log, { provider: endpoint.name, stretch: query.stretch });
    if (movement === undefined || movement.token === null || !known.has(movement.token)) continue;
    if (own.has(movement.from) || own.has(movement.to)) found.set(`${movement.txHash}:${movement.place}`, movement);
  }
  return [...found.values()];
}

async function fetchLogs(endpoint: RpcEndpoint, query: LogQuery): Promise<readonly unknown[]> {
  const { tokens } = query;
  const byName = (): Promise<readonly unknown[]> => fetchByName(endpoint, query);
  if (tokens.size <= MOST_NAMED || recall(endpoint, NAMES_KEY) === true) return byName();
  try {
    return await fetchBothWays(endpoint, query, undefined);
  } catch (error) {
    const words = error instanceof AppError && error.cause instanceof Error ? error.cause.message : '';
    if (!WANTS_NAMES.test(words)) throw error;
    learn(endpoint, NAMES_KEY, true);
    return byName();
  }
}

async function fetchByName(endpoint: RpcEndpoint, query: LogQuery): Promise<readonly unknown[]> {
  const logs: unknown[] = [];
  for (const names of chunk([...query.tokens], MOST_NAMED)) logs.push(...(await fetchBothWays(endpoint, query, names)));
  return logs;
}

/** What went out and what came in: two requests for all wallets. */
async function fetchBothWays(
  endpoint: RpcEndpoint,
  { wallets, stretch, signal }: LogQuery,
  tokens: readonly string[] | undefined,
): Promise<readonly unknown[]> {
  const owners = wallets.map((wallet) => `0x${addressDigits(wallet).padStart(64, '0')}`);
  const range = { fromBlock: `0x${stretch.from.toString(16)}`, toBlock: `0x${stretch.to.toString(16)}` };
  const filter = tokens === undefined ? range : { ...range, address: tokens };
  const logs: unknown[] = [];
  for (const topics of [
    [TRANSFER, owners],
    [TRANSFER, null, owners],
  ]) {
    const answer = await endpoint.call({ method: 'eth_getLogs', params: [{ ...filter, topics }] }, { signal });
    if (!Array.isArray(answer)) throw malformed(endpoint.name);
    logs.push(...answer);
  }
  return logs;
}

/** Undefined for what is no movement of a fungible token, whatever it pretends. Throws for what no node should send. */
function readLog(
  log: unknown,
  { provider, stretch }: { readonly provider: string; readonly stretch: Stretch },
): Movement | undefined {
  if (typeof log !== 'object' || log === null) throw malformed(provider);
  const field = (name: string): unknown => Reflect.get(log, name);
  const token = readAddress(field('address'));
  const txHash = readHash(field('transactionHash'));
  const blockNumber = readHexQuantity(field('blockNumber'));
  const logIndex = readHexQuantity(field('logIndex'));
  const topics = field('topics');
  if (
    token === undefined ||
    txHash === undefined ||
    blockNumber === undefined ||
    logIndex === undefined ||
    !Array.isArray(topics)
  ) {
    throw malformed(provider);
  }
  if (blockNumber < stretch.from || blockNumber > stretch.to || field('removed') === true) throw malformed(provider);
  const [event, from, to] = topics.map((topic: unknown) => readHash(topic));
  const data = readHexData(field('data'));
  // A token that is one of a kind has its number in a fourth topic, and a contract may put anything into the data.
  if (topics.length !== 3 || event !== TRANSFER || data?.length !== 64) return undefined;
  const ends = [from, to].map(topicAddress);
  const amountRaw = wordAt(data, 0);
  const [sender, receiver] = ends;
  if (sender === undefined || receiver === undefined || amountRaw === undefined || amountRaw === 0n) return undefined;
  const place = String(logIndex);
  return { token, from: sender, to: receiver, amountRaw, txHash, blockNumber, place, madeAt: toDate(field('blockTimestamp')) };
}

function topicAddress(topic: string | undefined): string | undefined {
  return topic?.startsWith(`0x${'0'.repeat(24)}`) === true ? `0x${topic.slice(26)}` : undefined;
}

function malformed(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent logs that make no sense.`, { provider });
}
