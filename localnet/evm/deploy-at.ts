import type { ContractName, LocalChain } from './local-chain.ts';

/** Storage slots that a contract of `contracts/tokens.sol` may fill in its constructor. */
const COPIED_SLOTS = 8;

/**
 * Deploys a contract and gives an address of our choice its code and first storage slots: a local stand-in for a contract that lives at a known
 * address on the real chain. Strings of more than 31 bytes are not copied.
 */
export async function deployAt(
  chain: LocalChain,
  address: string,
  contract: {
    readonly name: ContractName;
    readonly types?: readonly string[];
    readonly values?: readonly (string | bigint | number)[];
  },
): Promise<void> {
  const original = await chain.deploy(contract.name, contract.types, contract.values);
  await chain.rpc('anvil_setCode', [address, await chain.rpc('eth_getCode', [original, 'latest'])]);
  for (let slot = 0; slot < COPIED_SLOTS; slot++) {
    const key = `0x${slot.toString(16).padStart(64, '0')}`;
    const value = await chain.rpc('eth_getStorageAt', [original, key, 'latest']);
    await chain.rpc('anvil_setStorageAt', [address, key, value]);
  }
}
