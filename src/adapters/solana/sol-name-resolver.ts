import { address, isOffCurveAddress } from '@solana/addresses';
import { AppError } from '../../domain/errors.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { NameResolver } from '../balance-source.ts';
import { nameAccount, solRecordAccounts } from './name-accounts.ts';
import { NAME_PROGRAM, SOL_DOMAIN } from './programs.ts';
import { malformed, type RpcAccount } from './rpc-account.ts';
import { addressAt } from './solana-address.ts';
import { fetchAccounts } from './solana-rpc.ts';

/** Where a name account holds its parent and its owner, before the class. */
const NAME_SLICE = { offset: 0, length: 96 };
const OWNER_OFFSET = 32;
const MAX_NAME_LENGTH = 255;

/**
 * Owners of `.sol` names of one level, from the Solana Name Service. Refused as unsupported, because the owner is not where payments to the name go: names
 * with a SOL record, and names that a program holds, as it does for those made into tokens. So are names of several levels.
 */
export function createSolNameResolver({ pool }: { readonly pool: EndpointPool }): NameResolver {
  return {
    supports: (name) => /\.sol$/i.test(name) && name.length <= MAX_NAME_LENGTH,
    async resolve(name, signal) {
      const label = name.slice(0, -'.sol'.length).toLowerCase();
      if (label === '' || label.includes('.')) throw unsupported('Only .sol names of one level are looked up');
      const account = await nameAccount(label, { parent: SOL_DOMAIN });
      const asked = [account, ...(await solRecordAccounts(account))];
      const [found, ...records] = await pool.run(async (endpoint) => {
        const outcomes = await fetchAccounts(asked, NAME_SLICE, { endpoint, signal, minSlot: 0n });
        return asked.map((one) => {
          const outcome = outcomes.get(one) ?? malformed(endpoint.name);
          if (outcome instanceof AppError) throw outcome;
          return outcome.value;
        });
      }, signal);
      const owner = readOwner(found);
      if (owner === null) return null;
      if (records.some((record) => record?.program === NAME_PROGRAM)) throw unsupported('This name points on with a SOL record');
      if (isOffCurveAddress(address(owner))) throw unsupported('This name is held by a program');
      return owner;
    },
  };
}

/** Null for a name that nobody registered. */
function readOwner(account: RpcAccount | null | undefined): string | null {
  if (account?.program !== NAME_PROGRAM || account.data.length < NAME_SLICE.length) return null;
  return addressAt(account.data, 0) === SOL_DOMAIN ? addressAt(account.data, OWNER_OFFSET) : null;
}

function unsupported(why: string): AppError {
  return new AppError('unsupported_name', `${why}; add the address instead.`);
}
