import { type Address, address } from '@solana/kit';
import {
  amountToUiAmount,
  associatedAccount,
  createAssociatedAccount,
  freezeAccount,
  getAccountDataSize,
  initializeAccount,
  initializeImmutableOwner,
  initializeMetadata,
  initializeMint,
  type MintExtension,
  mintTo,
  programOf,
  type TokenProgram,
  thawAccount,
  updateInterestRate,
  updateMultiplier,
} from './instructions.ts';
import { type KnownAccount, type MetaplexNames, metaplexAccount, solNameAccount, stakeAccount } from './known-accounts.ts';
import { addressOf, createVm, type Vm } from './vm.ts';

export type MintOptions = {
  readonly kind: TokenProgram;
  readonly decimals: number;
  readonly extensions?: readonly MintExtension[];
  /** Names in the mint's own metadata extension (Token-2022 with `metadataPointer`). */
  readonly metadata?: { readonly name: string; readonly symbol: string };
  /** A fixed address, as real mints have; else one made from the seed. */
  readonly at?: string;
};

/** The VM with what is needed to put tokens, names and stake on it. Tokens are made by the real token programs. */
export type LocalSvm = Vm & {
  address(seed: string): Address;
  setSol(owner: string, amount: bigint): void;
  createMint(seed: string, options: MintOptions): Promise<string>;
  /**
   * Mints into a token account of the owner: the associated one at the first time, another new one each time after.
   * @returns the account.
   */
  mintTo(mint: string, owner: string, amount: bigint, options?: { readonly freeze?: boolean }): Promise<string>;
  /** Mints more into an account that is there. */
  mintMore(mint: string, account: string, amount: bigint): Promise<void>;
  /** A new account of wrapped SOL. */
  wrapSol(owner: string, amount: bigint): Promise<string>;
  setMultiplier(mint: string, multiplier: number, from: bigint): Promise<void>;
  setInterestRate(mint: string, basisPoints: number): Promise<void>;
  /** What the token program says a wallet should show for an amount. */
  uiAmountOf(mint: string, amount: bigint): Promise<string>;
  setMetaplexNames(mint: string, names: MetaplexNames): Promise<void>;
  setSolName(label: string, owner: string): Promise<void>;
  addStake(seed: string, parties: { readonly staker: string; readonly withdrawer: string; readonly lamports: bigint }): void;
  setData(at: string, owner: string, data: Uint8Array): void;
};

const MINT_SIZE = 82;
const EXTENDED_MINT_SIZE = 166;
const ACCOUNT_SIZE = 165;
const SYSTEM_PROGRAM = address('11111111111111111111111111111111');
const NATIVE_MINT = 'So11111111111111111111111111111111111111112';

type MintKind = { readonly kind: TokenProgram; readonly accountSize: number; readonly startsFrozen: boolean };

/** Starts a VM whose clock stands at `unixSeconds`. */
export async function createLocalSvm(unixSeconds: bigint): Promise<LocalSvm> {
  const vm = await createVm(unixSeconds);
  const { payer } = vm;
  const kinds = new Map<string, MintKind>();
  let made = 0;

  const kindOf = (mint: string): MintKind => kinds.get(mint) ?? { kind: 'spl', accountSize: ACCOUNT_SIZE, startsFrozen: false };
  const put = ({ at, program, data }: KnownAccount, amount?: bigint): void => vm.setAccount(at, program, data, amount);
  const putEmpty = (size: number, kind: TokenProgram, lamports = 0n): Address => {
    made += 1;
    const at = addressOf(`token account ${made}`);
    vm.setAccount(at, programOf(kind), new Uint8Array(size));
    const rent = vm.getAccount(at)?.lamports ?? 0n;
    vm.setAccount(at, programOf(kind), new Uint8Array(size), rent + lamports);
    return at;
  };

  return {
    ...vm,
    address: addressOf,
    setSol: (owner, amount) => vm.setAccount(address(owner), SYSTEM_PROGRAM, new Uint8Array(), amount),
    async createMint(seed, { kind, decimals, extensions = [], metadata, at }) {
      const mint = at === undefined ? addressOf(seed) : address(at);
      const size =
        extensions.length === 0 ? MINT_SIZE : extensions.reduce((sum, extension) => sum + extension.size, EXTENDED_MINT_SIZE);
      // The program makes room for metadata itself, but somebody has to have paid the rent for it.
      vm.setAccount(mint, programOf(kind), new Uint8Array(size), 1_000_000_000n);
      await vm.send([
        ...extensions.map((extension) => extension.initialize(mint, payer)),
        initializeMint(kind, mint, decimals, payer),
        ...(metadata === undefined ? [] : [initializeMetadata(mint, payer, { ...metadata, uri: '' })]),
      ]);
      const accountSize =
        kind === 'spl' ? ACCOUNT_SIZE : Number((await vm.simulate([getAccountDataSize(mint)])).readBigUInt64LE());
      const startsFrozen = extensions.some((one) => one.initialize(mint, payer).data?.[0] === 28);
      kinds.set(mint, { kind, accountSize, startsFrozen });
      return mint;
    },
    async mintTo(mintText, ownerText, amount, { freeze = false } = {}) {
      const { kind, accountSize, startsFrozen } = kindOf(mintText);
      const [mint, owner] = [address(mintText), address(ownerText)];
      const associated = await associatedAccount({ kind, mint, owner });
      const isFirst = vm.getAccount(associated) === undefined;
      const account = isFirst ? associated : putEmpty(accountSize, kind);
      const create = isFirst
        ? [createAssociatedAccount(payer, account, { kind, mint, owner })]
        : [...(kind === 'spl' ? [] : [initializeImmutableOwner(account)]), initializeAccount(kind, account, mint, owner)];
      await vm.send([
        ...create,
        // A mint whose accounts begin frozen has to thaw them first.
        ...(startsFrozen ? [thawAccount(kind, account, mint, payer)] : []),
        mintTo(kind, mint, account, payer, amount),
        ...(freeze || startsFrozen ? [freezeAccount(kind, account, mint, payer)] : []),
      ]);
      return account;
    },
    mintMore: (mint, account, amount) => vm.send([mintTo(kindOf(mint).kind, address(mint), address(account), payer, amount)]),
    async wrapSol(owner, amount) {
      const account = putEmpty(ACCOUNT_SIZE, 'spl', amount);
      await vm.send([initializeAccount('spl', account, address(NATIVE_MINT), address(owner))]);
      return account;
    },
    setMultiplier: (mint, multiplier, from) => vm.send([updateMultiplier(address(mint), payer, multiplier, from)]),
    setInterestRate: (mint, basisPoints) => vm.send([updateInterestRate(address(mint), payer, basisPoints)]),
    async uiAmountOf(mint, amount) {
      return (await vm.simulate([amountToUiAmount(kindOf(mint).kind, address(mint), amount)])).toString('utf8');
    },
    setMetaplexNames: async (mint, names) => put(await metaplexAccount(mint, names)),
    setSolName: async (label, owner) => put(await solNameAccount(label, owner)),
    addStake: (seed, { lamports, ...parties }) => put(stakeAccount(addressOf(seed), parties), lamports),
    setData: (at, owner, data) => vm.setAccount(address(at), address(owner), data),
  };
}
