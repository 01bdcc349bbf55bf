import { createHash } from 'node:crypto';
import {
  type Address,
  address,
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createTransactionMessage,
  getAddressDecoder,
  getAddressEncoder,
  getProgramDerivedAddress,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
} from '@solana/kit';
import { Clock, FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { METADATA_PROGRAM, NAME_PROGRAM, SOL_DOMAIN, STAKE_PROGRAM } from '../../src/adapters/solana/programs.ts';
import { nameAccount } from '../../src/adapters/solana/sol-name-resolver.ts';
import {
  freezeAccount,
  initializeAccount,
  initializeMetadata,
  initializeMint,
  type MintExtension,
  mintTo,
  programOf,
  type TokenProgram,
  text,
  thawAccount,
  updateMultiplier,
} from './instructions.ts';

export type MintOptions = {
  readonly kind: TokenProgram;
  readonly decimals: number;
  readonly extensions?: readonly MintExtension[];
  /** Names in the mint's own metadata extension (Token-2022 with `metadataPointer`). */
  readonly metadata?: { readonly name: string; readonly symbol: string };
  /** A fixed address, as real mints have; else one made from the seed. */
  readonly at?: string;
};

/** The real Solana VM in this process, with what is needed to put tokens, names and stake on it. Equal seeds give equal addresses. */
export type LocalSvm = {
  readonly svm: LiteSVM;
  address(seed: string): Address;
  slot(): bigint;
  /** Moves the chain's clock; slots go on with it. */
  setTime(unixSeconds: bigint): void;
  setSol(owner: string, amount: bigint): void;
  createMint(seed: string, options: MintOptions): Promise<string>;
  /** A new token account that holds `amount`, minted by the token program itself. */
  mintTo(mint: string, owner: string, amount: bigint, options?: { readonly freeze?: boolean }): Promise<string>;
  /** Mints more into an account that is there. */
  mintMore(mint: string, account: string, amount: bigint): Promise<void>;
  setMultiplier(mint: string, multiplier: number, from: bigint): Promise<void>;
  setMetaplexNames(mint: string, names: { readonly name: Uint8Array | string; readonly symbol: string }): Promise<void>;
  setSolName(label: string, owner: string): Promise<void>;
  addStake(seed: string, parties: { readonly staker: string; readonly withdrawer: string; readonly lamports: bigint }): void;
  setData(at: string, owner: string, data: Uint8Array): void;
};

const MINT_SIZE = 82;
const EXTENDED_MINT_SIZE = 166;
const ACCOUNT_SIZE = 165;
const FEE_ACCOUNT_SIZE = 178;
const RENT = 10_000_000_000n;
const encoder = getAddressEncoder();

/** Starts a VM whose clock stands at `unixSeconds`. */
export async function createLocalSvm(unixSeconds: bigint): Promise<LocalSvm> {
  const svm = new LiteSVM().withNativeMints();
  const payer = await signerOf('payer');
  svm.airdrop(payer.address, lamports(100_000_000_000_000n));
  const kinds = new Map<string, { kind: TokenProgram; accountSize: number }>();
  let accounts = 0;

  const setTime = (time: bigint): void => {
    const { slot, epoch } = svm.getClock();
    svm.setClock(new Clock(slot + 1n, time, epoch, epoch, time));
  };
  const setAccount = (at: Address, owner: Address, data: Uint8Array, amount = RENT): void => {
    svm.setAccount({
      address: at,
      programAddress: owner,
      executable: false,
      lamports: lamports(amount),
      space: BigInt(data.length),
      data,
    });
  };
  const send = async (instructions: readonly Instruction[]): Promise<void> => {
    svm.warpToSlot(svm.getClock().slot + 1n);
    svm.expireBlockhash();
    const transaction = await pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      (message) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(message),
      (message) => appendTransactionMessageInstructions(instructions, message),
      (message) => signTransactionMessageWithSigners(message),
    );
    const result = svm.sendTransaction(transaction);
    if (result instanceof FailedTransactionMetadata)
      throw new Error(`a transaction on the local VM failed: ${result.toString()}`);
  };
  const kindOf = (mint: string): { kind: TokenProgram; accountSize: number } =>
    kinds.get(mint) ?? { kind: 'spl', accountSize: ACCOUNT_SIZE };

  setTime(unixSeconds);
  const local: LocalSvm = {
    svm,
    address: addressOf,
    slot: () => svm.getClock().slot,
    setTime,
    setSol: (owner, amount) => setAccount(address(owner), address('11111111111111111111111111111111'), new Uint8Array(), amount),
    async createMint(seed, { kind, decimals, extensions = [], metadata, at }) {
      const mint = at === undefined ? addressOf(seed) : address(at);
      const size =
        extensions.length === 0 ? MINT_SIZE : extensions.reduce((sum, extension) => sum + extension.size, EXTENDED_MINT_SIZE);
      setAccount(mint, programOf(kind), new Uint8Array(size));
      const hasFee = extensions.some((extension) => extension.size === 112);
      kinds.set(mint, { kind, accountSize: hasFee ? FEE_ACCOUNT_SIZE : ACCOUNT_SIZE });
      await send([
        ...extensions.map((extension) => extension.initialize(mint, payer.address)),
        initializeMint(kind, mint, decimals, payer.address),
        ...(metadata === undefined ? [] : [initializeMetadata(mint, payer.address, { ...metadata, uri: '' })]),
      ]);
      return mint;
    },
    async mintTo(mint, owner, amount, { freeze = false } = {}) {
      const { kind, accountSize } = kindOf(mint);
      accounts += 1;
      const account = addressOf(`token account ${accounts}`);
      const mintAddress = address(mint);
      setAccount(account, programOf(kind), new Uint8Array(accountSize));
      await send([initializeAccount(kind, account, mintAddress, address(owner))]);
      // A mint whose accounts begin frozen has to thaw them first.
      const startsFrozen = svm.getAccount(account);
      const isFrozen = startsFrozen.exists && startsFrozen.data[108] === 2;
      await send([
        ...(isFrozen ? [thawAccount(kind, account, mintAddress, payer.address)] : []),
        mintTo(kind, mintAddress, account, payer.address, amount),
        ...(freeze || isFrozen ? [freezeAccount(kind, account, mintAddress, payer.address)] : []),
      ]);
      return account;
    },
    mintMore: (mint, account, amount) =>
      send([mintTo(kindOf(mint).kind, address(mint), address(account), payer.address, amount)]),
    setMultiplier: (mint, multiplier, from) => send([updateMultiplier(address(mint), payer.address, multiplier, from)]),
    async setMetaplexNames(mint, { name, symbol }) {
      const program = address(METADATA_PROGRAM);
      const seeds = ['metadata', encoder.encode(program), encoder.encode(address(mint))];
      const [pda] = await getProgramDerivedAddress({ programAddress: program, seeds });
      const nameBytes = typeof name === 'string' ? Buffer.from(name) : name;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(nameBytes.length);
      const head = [
        Uint8Array.of(4),
        encoder.encode(payer.address),
        encoder.encode(address(mint)),
        length,
        nameBytes,
        text(symbol),
        text(''),
      ];
      setAccount(pda, program, Buffer.concat(head.map((part) => Uint8Array.from(part))));
    },
    async setSolName(label, owner) {
      const parts = [encoder.encode(address(SOL_DOMAIN)), encoder.encode(address(owner)), new Uint8Array(32)];
      setAccount(
        address(await nameAccount(label)),
        address(NAME_PROGRAM),
        Buffer.concat(parts.map((part) => Uint8Array.from(part))),
      );
    },
    addStake(seed, { staker, withdrawer, lamports: amount }) {
      const data = new Uint8Array(200);
      data[0] = 2;
      data.set(encoder.encode(address(staker)), 12);
      data.set(encoder.encode(address(withdrawer)), 44);
      setAccount(addressOf(seed), address(STAKE_PROGRAM), data, amount);
    },
    setData: (at, owner, data) => setAccount(address(at), address(owner), data),
  };
  return local;
}

function signerOf(seed: string): Promise<KeyPairSigner> {
  return createKeyPairSignerFromPrivateKeyBytes(createHash('sha256').update(`chainfolio localnet ${seed}`).digest());
}

/** An address that belongs to nobody, made from a seed. */
function addressOf(seed: string): Address {
  const digest = createHash('sha256').update(`chainfolio localnet address ${seed}`).digest();
  return getAddressDecoder().decode(digest);
}
