import { createHash } from 'node:crypto';
import { address, getProgramDerivedAddress } from '@solana/addresses';
import { NAME_PROGRAM, NAME_RECORDS_CLASS } from './programs.ts';
import { bytesOfAddress } from './solana-address.ts';

const HASH_PREFIX = 'SPL Name Service';
const NO_CLASS = '11111111111111111111111111111111';

/** The account of a label under a parent name: derived from the label's hash, the class and the parent (docs.sns.id). */
export async function nameAccount(
  label: string,
  { parent, nameClass = NO_CLASS }: { readonly parent: string; readonly nameClass?: string },
): Promise<string> {
  const hash = createHash('sha256')
    .update(HASH_PREFIX + label)
    .digest();
  const seeds = [hash, bytesOfAddress(nameClass), bytesOfAddress(parent)];
  const [account] = await getProgramDerivedAddress({ programAddress: address(NAME_PROGRAM), seeds });
  return account;
}

/** Where a name's SOL records are, of the second and of the first generation: each may send payments on to another address. */
export async function solRecordAccounts(name: string): Promise<readonly [string, string]> {
  return [
    await nameAccount('\u0002SOL', { parent: name, nameClass: NAME_RECORDS_CLASS }),
    await nameAccount('\u0001SOL', { parent: name }),
  ];
}
