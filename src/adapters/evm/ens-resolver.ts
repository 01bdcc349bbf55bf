import { ensNormalize, namehash } from 'ethers/hash';
import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { NameResolver } from '../balance-source.ts';
import { parseEvmAddress } from './evm-address.ts';
import { callAtNewestBlock } from './evm-caller.ts';
import { type Hex, sliceBytes, wordAt } from './hex.ts';
import type { BoundedResult } from './scan-codec.ts';

/** The ENS registry, at the same address since 2020 (docs.ens.domains, deployments). */
const REGISTRY = '0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e';
const RESOLVER = '0178b8bf';
const ADDR = '3b3b57de';

/**
 * Forward resolution of `.eth` names on Ethereum: registry, resolver, address. Names that need a wildcard or an off-chain (CCIP-Read) resolver
 * are refused as unsupported: to follow them would let a contract send us to any server.
 */
export function createEnsResolver({ chain, pool }: { readonly chain: EvmChain; readonly pool: EndpointPool }): NameResolver {
  return {
    supports: (name) => name.endsWith('.eth') && name.length <= 255,
    async resolve(name, signal) {
      const node = namehash(normalize(name)).slice(2);
      const ask = async (to: string, selector: string): Promise<BoundedResult> => {
        const { results } = await callAtNewestBlock([{ to, data: `0x${selector}${node}` }], { chain, pool, signal });
        return results[0] ?? 'bad_return';
      };
      const entry = await ask(REGISTRY, RESOLVER);
      if (typeof entry === 'string') throw new AppError('upstream_malformed', `${chain.name} did not answer about this name.`);
      const resolver = readAddress(entry);
      if (resolver === null) {
        if (name.split('.').length > 2) throw unsupported('has no resolver of its own');
        return null;
      }
      const answer = await ask(resolver, ADDR);
      if (typeof answer === 'string' || answer.size < 32) throw unsupported('is not resolved on the chain itself');
      return readAddress(answer);
    },
  };
}

function normalize(name: string): string {
  try {
    return ensNormalize(name);
  } catch {
    throw new AppError('invalid_address', 'This is not a valid ENS name.');
  }
}

function unsupported(why: string): AppError {
  return new AppError('unsupported_name', `This name ${why}; add its address instead.`);
}

/** The address in an answer's word; null for zero. */
function readAddress({ data }: { readonly data: Hex }): string | null {
  const value = wordAt(data, 0);
  if (value === undefined || value === 0n) return null;
  return parseEvmAddress(`0x${sliceBytes(data, 12, 20)}`) ?? null;
}
