import type { NameResolver } from '../adapters/balance-source.ts';
import type { NewWallet, WalletCursor, WalletPage, WalletStore } from '../db/wallet-store.ts';
import type { Chain, ChainFamily } from '../domain/chain.ts';
import { AppError, toAppError } from '../domain/errors.ts';
import type { IfVersion } from '../domain/version.ts';
import type { Wallet } from '../domain/wallet.ts';
import type { QuotaService } from './access/quota-service.ts';
import { requireChain } from './require-known.ts';

/** What a caller sends: an address or a name, and the chains to follow it on (null: guessed from the address's family). */
export type WalletInput = { readonly address: string; readonly chains: readonly string[] | null; readonly label: string | null };

export type WalletAdded = { readonly wallet: Wallet; readonly created: boolean };

export type WalletService = {
  /** Throws quota_exceeded, invalid_address, unknown_chain, unsupported_name, name_not_found, or an upstream code when a name cannot be looked up. */
  add(tenantId: string, input: WalletInput, signal: AbortSignal): Promise<WalletAdded>;
  /** One result for each input, in order; a bad one spoils no other. */
  addMany(tenantId: string, inputs: readonly WalletInput[], signal: AbortSignal): Promise<readonly (WalletAdded | AppError)[]>;
  /** Throws unknown_chain. */
  list(tenantId: string, options: { limit: number; after: WalletCursor | null; chain: string | null }): Promise<WalletPage>;
  /** These three throw wallet_not_found, those that change it precondition_failed when it has another version. */
  get(tenantId: string, id: string): Promise<Wallet>;
  setLabel(
    tenantId: string,
    id: string,
    change: { readonly label: string | null; readonly ifVersion: IfVersion },
  ): Promise<Wallet>;
  delete(tenantId: string, id: string, ifVersion: IfVersion): Promise<void>;
};

type WalletServiceDeps = {
  readonly store: WalletStore;
  readonly quotas: QuotaService;
  readonly chains: readonly Chain[];
  /** Strict parsers that give the canonical form, by family. */
  readonly parseAddress: Readonly<Record<ChainFamily, (text: string) => string | undefined>>;
  readonly resolvers: readonly { readonly family: ChainFamily; readonly resolver: NameResolver }[];
};

/** The chain an address is followed on when the caller names none. */
const DEFAULT_CHAIN: Readonly<Record<ChainFamily, string>> = { evm: 'ethereum', solana: 'solana' };
const NAME_LOOKUPS_AT_ONCE = 10;

export function createWalletService(deps: WalletServiceDeps): WalletService {
  const { store } = deps;
  return {
    async add(tenantId, input, signal) {
      const [added] = await addWithinQuota(deps, tenantId, [await toNewWallet(deps, input, signal)]);
      return accepted(added);
    },
    addMany: (tenantId, inputs, signal) => addMany(deps, { tenantId, inputs, signal }),
    async list(tenantId, options) {
      if (options.chain !== null) requireChain(deps.chains, options.chain);
      return store.list(tenantId, options);
    },
    async get(tenantId, id) {
      return found(await store.get(tenantId, id));
    },
    async setLabel(tenantId, id, change) {
      return found(await store.setLabel(tenantId, id, change));
    },
    async delete(tenantId, id, ifVersion) {
      if (!(await store.delete(tenantId, id, ifVersion)))
        throw new AppError('wallet_not_found', 'There is no wallet of this id.');
    },
  };
}

async function addMany(
  deps: WalletServiceDeps,
  { tenantId, inputs, signal }: { tenantId: string; inputs: readonly WalletInput[]; signal: AbortSignal },
): Promise<readonly (WalletAdded | AppError)[]> {
  const patient = { ...deps, resolvers: deps.resolvers.map(({ family, resolver }) => ({ family, resolver: askOnce(resolver) })) };
  const parsed: (NewWallet | AppError)[] = [];
  for (let start = 0; start < inputs.length; start += NAME_LOOKUPS_AT_ONCE) {
    const part = inputs.slice(start, start + NAME_LOOKUPS_AT_ONCE);
    parsed.push(...(await Promise.all(part.map((input) => toNewWallet(patient, input, signal).catch(toAppError)))));
  }
  const good = parsed.flatMap((entry) => (entry instanceof AppError ? [] : [entry]));
  const added = (await addWithinQuota(deps, tenantId, good)).values();
  return parsed.map((entry) => (entry instanceof AppError ? entry : (added.next().value ?? overQuota())));
}

async function addWithinQuota(
  { store, quotas }: WalletServiceDeps,
  tenantId: string,
  wallets: readonly NewWallet[],
): Promise<readonly (WalletAdded | undefined)[]> {
  const { wallets: max } = await quotas.get(tenantId);
  return max === null ? store.addMany(tenantId, wallets) : store.addUpTo(tenantId, max, wallets);
}

function accepted(added: WalletAdded | undefined): WalletAdded {
  if (added === undefined) throw overQuota();
  return added;
}

function overQuota(): AppError {
  return new AppError('quota_exceeded', 'There are as many wallets as may be followed. Stop following others, or ask for more.');
}

/** A resolver that gives up at the first failure of its chain: a thousand names of a dead chain are not worth a thousand waits. */
function askOnce(resolver: NameResolver): NameResolver {
  let failure: AppError | undefined;
  return {
    supports: (name) => resolver.supports(name),
    async resolve(name, signal) {
      if (failure !== undefined) throw failure;
      try {
        return await resolver.resolve(name, signal);
      } catch (error) {
        const told = toAppError(error);
        if (told.code.startsWith('upstream_')) failure = told;
        throw told;
      }
    },
  };
}

async function toNewWallet(deps: WalletServiceDeps, input: WalletInput, signal: AbortSignal): Promise<NewWallet> {
  const { family, address, name } = await identify(deps, input.address, signal);
  const chains = [...new Set(input.chains ?? [DEFAULT_CHAIN[family]])];
  for (const slug of chains) {
    const chain = requireChain(deps.chains, slug);
    if (chain.family !== family) {
      throw new AppError('invalid_address', `This is an address of the ${family} family; ${chain.name} takes another kind.`);
    }
  }
  return { family, address, name, label: input.label, chains };
}

/** The family and canonical address behind what the caller typed. */
async function identify(
  { parseAddress, resolvers }: WalletServiceDeps,
  text: string,
  signal: AbortSignal,
): Promise<{ family: ChainFamily; address: string; name: string | null }> {
  const evm = parseAddress.evm(text);
  if (evm !== undefined) return { family: 'evm', address: evm, name: null };
  const solana = parseAddress.solana(text);
  if (solana !== undefined) return { family: 'solana', address: solana, name: null };
  if (!text.includes('.')) {
    throw new AppError(
      'invalid_address',
      'This is neither an EVM address (0x and 40 hex digits, with a right checksum when mixed case) nor a Solana address (base58 of 32 bytes).',
    );
  }
  const name = text.toLowerCase();
  const match = resolvers.find(({ resolver }) => resolver.supports(name));
  if (match === undefined) throw new AppError('unsupported_name', 'Only .eth and .sol names can be looked up.');
  const address = await match.resolver.resolve(name, signal);
  if (address === null) throw new AppError('name_not_found', 'This name has no address.');
  return { family: match.family, address, name };
}

function found<T>(wallet: T | undefined): T {
  if (wallet === undefined) throw new AppError('wallet_not_found', 'There is no wallet of this id.');
  return wallet;
}
