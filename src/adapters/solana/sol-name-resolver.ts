import { createHash } from 'node:crypto';
import { getAddressEncoder, getProgramDerivedAddress, address as toAddress } from '@solana/kit';
import { AppError } from '../../domain/errors.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { NameResolver } from '../balance-source.ts';
import { NAME_PROGRAM, SOL_DOMAIN } from './programs.ts';
import { addressAt } from './solana-address.ts';
import { fetchAccounts } from './solana-rpc.ts';

const HASH_PREFIX = 'SPL Name Service';
const encoder = getAddressEncoder();
/** Where a name account holds its owner: behind its parent. */
const OWNER_OFFSET = 32;

/**
 * Owners of `.sol` names of one level, from the Solana Name Service. A name that was turned into a token belongs to whoever holds the token, which the
 * name account does not tell: its owner then is a program's account, and the name is refused as unsupported.
 */
export function createSolNameResolver({ pool }: { readonly pool: EndpointPool }): NameResolver {
  return {
    supports: (name) => /^[^.]+\.sol$/.test(name) && name.length <= 255,
    async resolve(name, signal) {
      const account = await nameAccount(name.slice(0, -'.sol'.length));
      return pool.run(async (endpoint) => {
        const options = { endpoint, signal, minSlot: 0n, dataSlice: { offset: 0, length: 96 } };
        const [found] = await fetchAccounts([account], options);
        if (found?.value == null || found.value.owner !== NAME_PROGRAM || found.value.data.length < 96) return null;
        const owner = addressAt(found.value.data, OWNER_OFFSET);
        const [holder] = await fetchAccounts([owner], options);
        if (holder?.value != null && holder.value.owner !== SYSTEM_PROGRAM) throw unsupported();
        return owner;
      }, signal);
    },
  };
}

const SYSTEM_PROGRAM = '11111111111111111111111111111111';

function unsupported(): AppError {
  return new AppError('unsupported_name', 'This name is held by a program, not by a wallet; add the address instead.');
}

/** The account of a name: derived from its hash, no class, and the `.sol` domain as parent. */
export async function nameAccount(label: string): Promise<string> {
  const hash = createHash('sha256')
    .update(HASH_PREFIX + label)
    .digest();
  const seeds = [hash, new Uint8Array(32), encoder.encode(toAddress(SOL_DOMAIN))];
  const [pda] = await getProgramDerivedAddress({ programAddress: toAddress(NAME_PROGRAM), seeds });
  return pda;
}
