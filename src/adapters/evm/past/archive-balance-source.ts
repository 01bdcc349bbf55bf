import type { AssetRef } from '../../../domain/asset.ts';
import type { EvmChain } from '../../../domain/chain.ts';
import type { Reading } from '../../../domain/holding.ts';
import type { EndpointPool } from '../../../lib/json-rpc/pool/endpoint-pool.ts';
import type { AddressReading, BalanceQuery } from '../../balance-source.ts';
import type { PastBalanceSource } from '../../past-balance-source.ts';
import { scanBlock } from '../block-scan.ts';
import { toAddressReading } from '../evm-balance-source.ts';
import type { BlockFinder } from './archive-blocks.ts';
import { askPast } from './archive-endpoints.ts';

export type ArchiveDeps = { readonly chain: EvmChain; readonly pool: EndpointPool; readonly blocks: BlockFinder };

/** Native and ERC-20 balances at past blocks of one EVM chain, from whichever endpoint keeps its states. */
export function createArchiveBalanceSource({ chain, pool, blocks }: ArchiveDeps): PastBalanceSource {
  return {
    chain: chain.slug,
    async readBalancesAt(moment, query) {
      const { addresses, tokens, signal } = query;
      const assets = [null, ...tokens].map((address): AssetRef => ({ chain: chain.slug, address }));
      const block = await blocks.find(moment, signal);
      if (block === undefined) return { block: null, addresses: readNothing(query, assets) };
      const past = askPast(pool, block.number);
      const scan = await scanBlock({ wallets: addresses, tokens }, { chain, pool: past, signal, block, isLastTry: true });
      return {
        block: { number: block.number, hash: block.hash },
        addresses: addresses.map((address) => withoutUnborn(toAddressReading(address, scan, assets))),
      };
    },
  };
}

function readNothing({ addresses }: BalanceQuery, assets: readonly AssetRef[]): readonly AddressReading[] {
  const readings = assets.map(toZero);
  return addresses.map((address) => ({ address, kind: 'balances', status: 'ok', exhaustive: false, readings }));
}

/** A token that had no code yet was held by nobody. */
function withoutUnborn(reading: AddressReading): AddressReading {
  if (reading.status !== 'ok') return reading;
  const readings = reading.readings.map((one) =>
    one.status === 'failed' && one.error.code === 'not_a_token' ? toZero(one.asset) : one,
  );
  return { ...reading, readings };
}

function toZero(asset: AssetRef): Reading {
  return { status: 'ok', asset, amountRaw: 0n, frozenRaw: 0n, ui: null };
}
