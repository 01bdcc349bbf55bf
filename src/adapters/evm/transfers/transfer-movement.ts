import { getAddress } from 'ethers/address';
import type { Transfer } from '../../../domain/ledger/ledger.ts';
import type { TransferQuery } from '../../transfer-source.ts';

/** Something of the chain's coin or of a token that went from one address to another. Addresses are in lower case. */
export type Movement = {
  /** Of the token; null for the chain's coin. */
  readonly token: string | null;
  readonly from: string;
  readonly to: string;
  readonly amountRaw: bigint;
  readonly txHash: string;
  readonly blockNumber: bigint;
  /** Where in the transaction: the number of the log, or the address of the trace. */
  readonly place: string;
  /** Of its block, where the answer tells. */
  readonly madeAt: Date | undefined;
};

/** What the sender of a transaction paid to the chain. */
export type Fee = Pick<Movement, 'txHash' | 'blockNumber'> & { readonly payer: string; readonly amountRaw: bigint };

/** The wallets that are read together, by address in lower case. */
export type WalletsByAddress = ReadonlyMap<string, readonly TransferQuery[]>;

const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;
const HASH = /^0x[0-9a-fA-F]{64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** What a movement means to each wallet at its ends. To itself a wallet moves nothing. */
export function toTransfers(
  { token, from, to, amountRaw, ...rest }: Movement,
  { chain, occurredAt, wallets }: { readonly chain: string; readonly occurredAt: Date; readonly wallets: WalletsByAddress },
): readonly { readonly walletId: string; readonly transfer: Transfer }[] {
  if (from === to) return [];
  const { txHash, blockNumber, place } = rest;
  const asset = { chain, address: token === null ? null : getAddress(token) };
  const base = { asset, kind: 'transfer', occurredAt, txHash, blockNumber, reference: `${txHash}:${place}` } as const;
  const side = (own: string, other: string, signed: bigint) =>
    (wallets.get(own) ?? []).map(({ walletId }) => ({
      walletId,
      transfer: { ...base, amountRaw: signed, counterparty: other === ZERO_ADDRESS ? null : getAddress(other) },
    }));
  return [...side(from, to, -amountRaw), ...side(to, from, amountRaw)];
}

/** What a fee means to the wallet that paid it. */
export function toFeeTransfers(
  { payer, amountRaw, txHash, blockNumber }: Fee,
  { chain, occurredAt, wallets }: { readonly chain: string; readonly occurredAt: Date; readonly wallets: WalletsByAddress },
): readonly { readonly walletId: string; readonly transfer: Transfer }[] {
  if (amountRaw === 0n) return [];
  return (wallets.get(payer) ?? []).map(({ walletId }) => ({
    walletId,
    transfer: {
      asset: { chain, address: null },
      kind: 'fee',
      amountRaw: -amountRaw,
      counterparty: null,
      occurredAt,
      txHash,
      blockNumber,
      reference: `${txHash}:fee`,
    },
  }));
}

/** An RPC answer of a hash, in lower case; undefined when it is anything else. */
export function readHash(value: unknown): string | undefined {
  return typeof value === 'string' && HASH.test(value) ? value.toLowerCase() : undefined;
}

/** An RPC answer of an address, in lower case; undefined when it is anything else. */
export function readAddress(value: unknown): string | undefined {
  return typeof value === 'string' && ADDRESS.test(value) ? value.toLowerCase() : undefined;
}
