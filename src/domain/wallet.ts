import type { ChainFamily } from './chain.ts';

/** One address that a tenant follows, on one or more chains of its family. */
export type Wallet = {
  readonly id: string;
  readonly family: ChainFamily;
  /** Canonical form: EIP-55 for EVM, base58 for Solana. */
  readonly address: string;
  /** The ENS or `.sol` name it was added by. */
  readonly name: string | null;
  readonly label: string | null;
  /** Slugs, in the order they were added. */
  readonly chains: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Another one after each change. */
  readonly version: number;
};
