import { AccountRole, type Address, address, getAddressEncoder, type Instruction } from '@solana/kit';
import { STAKE_PROGRAM } from '../../src/adapters/solana/programs.ts';
import { programOf, type TokenProgram } from './instructions.ts';

/** What wallets do with what they hold, written out by the programs' published layouts. */
const SYSTEM_PROGRAM = address('11111111111111111111111111111111');
const RENT_SYSVAR = address('SysvarRent111111111111111111111111111111111');
const CLOCK_SYSVAR = address('SysvarC1ock11111111111111111111111111111111');
const HISTORY_SYSVAR = address('SysvarStakeHistory1111111111111111111111111');
export const STAKE_SIZE = 200;

const encoder = getAddressEncoder();
const key = (value: Address): Buffer => Buffer.from(encoder.encode(value));
const writable = (at: Address) => ({ address: at, role: AccountRole.WRITABLE }) as const;
const readonly = (at: Address) => ({ address: at, role: AccountRole.READONLY }) as const;
const signer = (at: Address) => ({ address: at, role: AccountRole.READONLY_SIGNER }) as const;
const paying = (at: Address) => ({ address: at, role: AccountRole.WRITABLE_SIGNER }) as const;

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

function instruction(programAddress: Address, data: readonly Buffer[], accounts: Instruction['accounts']): Instruction {
  return { programAddress, accounts: accounts ?? [], data: Buffer.concat(data) };
}

type Sol = { readonly from: Address; readonly to: Address; readonly amount: bigint };

export function transferSol({ from, to, amount }: Sol): Instruction {
  return instruction(SYSTEM_PROGRAM, [u32(2), u64(amount)], [paying(from), writable(to)]);
}

type NewAccount = Sol & { readonly size: number; readonly program: Address };

/** CreateAccount, for which the new account signs as well. */
export function createAccount({ from, to, amount, size, program }: NewAccount): Instruction {
  return instruction(SYSTEM_PROGRAM, [u32(0), u64(amount), u64(BigInt(size)), key(program)], [paying(from), paying(to)]);
}

type TokenTransfer = Sol & {
  readonly kind: TokenProgram;
  readonly mint: Address;
  readonly owner: Address;
  readonly decimals: number;
};

/** TransferChecked between two token accounts. */
export function transferToken({ kind, mint, from, to, owner, amount, decimals }: TokenTransfer): Instruction {
  const accounts = [writable(from), readonly(mint), writable(to), signer(owner)];
  return instruction(programOf(kind), [Buffer.of(12), u64(amount), Buffer.of(decimals)], accounts);
}

type OfAccount = { readonly kind: TokenProgram; readonly account: Address; readonly owner: Address };

export function burn({ kind, account, owner, mint, amount }: OfAccount & { mint: Address; amount: bigint }): Instruction {
  return instruction(programOf(kind), [Buffer.of(8), u64(amount)], [writable(account), writable(mint), signer(owner)]);
}

/** CloseAccount: what is in it of SOL goes to `to`. */
export function closeAccount({ kind, account, owner, to }: OfAccount & { to: Address }): Instruction {
  return instruction(programOf(kind), [Buffer.of(9)], [writable(account), writable(to), signer(owner)]);
}

/** SetAuthority: the token account is `to`'s from now on. */
export function giveAway({ kind, account, owner, to }: OfAccount & { to: Address }): Instruction {
  return instruction(programOf(kind), [Buffer.of(6, 2, 1), key(to)], [writable(account), signer(owner)]);
}

/** SyncNative: what an account of wrapped SOL holds above its rent is wrapped. */
export function syncNative(account: Address): Instruction {
  return instruction(programOf('spl'), [Buffer.of(17)], [writable(account)]);
}

const stakeProgram = address(STAKE_PROGRAM);

/** Initialize, with one key to stake and to withdraw. */
export function initializeStake(stake: Address, owner: Address): Instruction {
  const data = [u32(0), key(owner), key(owner), Buffer.alloc(48)];
  return instruction(stakeProgram, data, [writable(stake), readonly(RENT_SYSVAR)]);
}

type OfStake = { readonly stake: Address; readonly owner: Address };

export function withdrawStake({ stake, owner, to, amount }: OfStake & { to: Address; amount: bigint }): Instruction {
  const accounts = [writable(stake), writable(to), readonly(CLOCK_SYSVAR), readonly(HISTORY_SYSVAR), signer(owner)];
  return instruction(stakeProgram, [u32(4), u64(amount)], accounts);
}

/** Split: `into` must be there, empty, and pay its rent. */
export function splitStake({ stake, owner, into, amount }: OfStake & { into: Address; amount: bigint }): Instruction {
  return instruction(stakeProgram, [u32(3), u64(amount)], [writable(stake), writable(into), signer(owner)]);
}

export function mergeStake({ stake, owner, from }: OfStake & { from: Address }): Instruction {
  const accounts = [writable(stake), writable(from), readonly(CLOCK_SYSVAR), readonly(HISTORY_SYSVAR), signer(owner)];
  return instruction(stakeProgram, [u32(7)], accounts);
}

/** Authorize: who may withdraw from now on. */
export function passStake({ stake, owner, to }: OfStake & { to: Address }): Instruction {
  return instruction(stakeProgram, [u32(1), key(to), u32(1)], [writable(stake), readonly(CLOCK_SYSVAR), signer(owner)]);
}
