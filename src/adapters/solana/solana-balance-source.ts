import type { SolanaChain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { AddressReading, BalanceSource, ChainReading } from '../balance-source.ts';
import { COMMITMENT } from './solana-rpc.ts';
import { readStakes, type StakeRead } from './stake-reads.ts';
import { describeMints } from './token-description.ts';
import { type ReadContext, readWallets, type WalletRead } from './wallet-reads.ts';

/** SOL, SPL and Token-2022 tokens, and native stake. Finds all tokens of a wallet by itself. */
export function createSolanaBalanceSource({
  chain,
  pool,
}: {
  readonly chain: SolanaChain;
  readonly pool: EndpointPool;
}): BalanceSource {
  return {
    chain: chain.slug,
    kinds: ['balances', 'stake'],
    readBalances: ({ addresses, signal }) => readBalances(addresses, { chain, pool, signal }),
    describeTokens: (addresses, signal) => describeMints(addresses, { chain, pool, signal }),
    async probe(signal) {
      try {
        return {
          block: {
            number: await pool.run(async (endpoint) => {
              const slot = await endpoint.call({ method: 'getSlot', params: [{ commitment: COMMITMENT }] }, { signal });
              if (typeof slot === 'bigint') return slot;
              throw new AppError('upstream_malformed', `${endpoint.name} sent no slot.`, { provider: endpoint.name });
            }, signal),
            hash: null,
          },
        };
      } catch (error) {
        const { code, provider } = toAppError(error);
        return { error: { code, provider: provider ?? null } };
      }
    },
  };
}

async function readBalances(addresses: readonly string[], context: ReadContext): Promise<ChainReading> {
  const [wallets, stakes] = await Promise.all([readWallets(addresses, context), readStakes(addresses, context)]);
  const slots = [...wallets.values(), ...stakes.values()].flatMap((read) => ('slot' in read ? [read.slot] : []));
  const lowest = slots.reduce<bigint | null>((low, slot) => (low === null || slot < low ? slot : low), null);
  return {
    block: lowest === null ? null : { number: lowest, hash: null },
    observedAt: new Date(),
    addresses: addresses.flatMap((address) => [
      fromWallet(address, wallets.get(address)),
      fromStake(address, stakes.get(address), context.chain.slug),
    ]),
  };
}

const UNREAD = { code: 'upstream_malformed', provider: null } as const;

function fromWallet(address: string, read: WalletRead | undefined): AddressReading {
  const base = { address, kind: 'balances' } as const;
  if (read === undefined || 'error' in read) return { ...base, status: 'failed', error: read?.error ?? UNREAD };
  return { ...base, status: 'ok', exhaustive: true, readings: read.readings };
}

function fromStake(address: string, read: StakeRead | undefined, chain: string): AddressReading {
  const base = { address, kind: 'stake' } as const;
  if (read?.status !== 'ok') return { ...base, status: read?.status ?? 'failed', error: read?.error ?? UNREAD };
  const asset = { chain, address: null };
  return {
    ...base,
    status: 'ok',
    exhaustive: true,
    readings: [{ status: 'ok', asset, amountRaw: read.lamports, frozenRaw: 0n, ui: null }],
  };
}
