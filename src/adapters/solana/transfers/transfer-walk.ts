import type { CursorAccount, TransferCursor } from './transfer-cursor.ts';
import type { PageQuery, SignatureInfo } from './transfer-rpc.ts';

/**
 * The way through the signatures of a wallet and of its accounts, all at the same time, from the newest slot to the oldest: so that each transaction is met once,
 * however many of the accounts it names, and an account that is gone is met before what happened to it.
 */
export type TransferWalk = {
  readonly isDone: () => boolean;
  /** The pages without which it cannot go on; none when signatures are ready or all is read. */
  readonly missing: () => readonly PageQuery[];
  /** Takes a page that was missing. */
  readonly accept: (query: PageQuery, page: readonly SignatureInfo[]) => void;
  /** The next signatures, newest first, whole slots only: at least `count` if there are so many. Nothing is forgotten before `pass`. */
  readonly peek: (count: number) => readonly WalkStep[];
  /** Leaves the signatures of the last `peek` behind. */
  readonly pass: () => void;
  /** Adds an account that was found in the transaction of a signature, to be read from there on. */
  readonly discover: (kind: 'token' | 'stake', address: string, signature: string) => void;
  readonly has: (kind: 'token' | 'stake', address: string) => boolean;
  readonly cursor: () => TransferCursor;
};

/** `isNamed`: the wallet itself is part of it, not only accounts of its own. */
export type WalkStep = SignatureInfo & { readonly isNamed: boolean };

type Account = {
  readonly kind: CursorAccount['kind'];
  readonly address: string;
  /** The last signature left behind. */
  before: string | null;
  /** The last signature of the pages read. */
  pageEnd: string | null;
  queue: SignatureInfo[];
  /** The lowest slot read of; null before the first page. */
  floor: bigint | null;
  pages: number;
  isRead: boolean;
};

/** What is new since last time is little for most; who has more is asked for more at a time. */
const FIRST_PAGE = 100;
const NEXT_PAGE = 1_000;

export function createTransferWalk({ toSlot, hasStake, accounts }: TransferCursor, fromSlot: bigint): TransferWalk {
  const all = new Map(accounts.map((account) => [account.address, toAccount(account)]));
  let passed: bigint | undefined;

  const unread = (): readonly Account[] => [...all.values()].filter(({ isRead }) => !isRead);
  /** What lies above is known of all accounts. */
  const floor = (): bigint | null => {
    let high = -1n;
    for (const account of unread()) {
      if (account.floor === null) return null;
      if (account.floor > high) high = account.floor;
    }
    return high;
  };
  const ready = (): readonly Account[] => {
    const low = floor();
    return low === null ? [] : [...all.values()].filter(({ queue }) => queue[0] !== undefined && queue[0].slot > low);
  };

  return {
    isDone: () => [...all.values()].every(({ isRead, queue }) => isRead && queue.length === 0),
    missing() {
      if (ready().length > 0) return [];
      const low = floor();
      return unread()
        .filter((account) => account.floor === null || account.floor === low)
        .map(({ address, pageEnd, pages }) => ({
          address,
          before: pageEnd,
          limit: pages === 0 ? FIRST_PAGE : NEXT_PAGE,
          minSlot: toSlot,
          fromSlot,
        }));
    },
    accept(query, page) {
      const account = all.get(query.address);
      if (account !== undefined) acceptPage(account, { query, page, toSlot });
    },
    peek(count) {
      const newestFirst = merge(ready(), floor() ?? toSlot);
      passed = newestFirst[Math.min(count, newestFirst.length) - 1]?.slot;
      return newestFirst.filter(({ slot }) => passed !== undefined && slot >= passed);
    },
    pass() {
      for (const account of all.values()) leaveBehind(account, passed);
      passed = undefined;
    },
    discover(kind, address, signature) {
      if (!all.has(address)) all.set(address, toAccount({ kind, address, before: signature }));
    },
    has: (kind, address) => all.get(address)?.kind === kind,
    cursor: () => ({
      toSlot,
      hasStake,
      accounts: [...all.values()].flatMap(({ kind, address, before, isRead, queue }) =>
        isRead && queue.length === 0 ? [] : [{ kind, address, before }],
      ),
    }),
  };
}

function toAccount({ kind, address, before }: CursorAccount): Account {
  return { kind, address, before, pageEnd: before, queue: [], floor: null, pages: 0, isRead: false };
}

type Page = { readonly query: PageQuery; readonly page: readonly SignatureInfo[]; readonly toSlot: bigint };

function acceptPage(account: Account, { query: { limit, fromSlot }, page, toSlot }: Page): void {
  const last = page.at(-1);
  account.pages += 1;
  account.isRead = last === undefined || page.length < limit || last.slot < fromSlot;
  account.floor = last?.slot ?? account.floor;
  account.pageEnd = last?.signature ?? account.pageEnd;
  // What is newer than the stretch need not be gone through again.
  const skipped = page.filter(({ slot }) => slot > toSlot);
  if (account.queue.length === 0) account.before = skipped.at(-1)?.signature ?? account.before;
  account.queue.push(...page.filter(({ slot }) => slot <= toSlot && slot >= fromSlot));
}

/** Signatures of slots above `low`, newest first, each once. */
function merge(accounts: readonly Account[], low: bigint): readonly WalkStep[] {
  const steps = new Map<string, WalkStep>();
  for (const { kind, queue } of accounts) {
    for (const info of queue) {
      if (info.slot <= low) break;
      const isNamed = kind === 'wallet' || steps.get(info.signature)?.isNamed === true;
      steps.set(info.signature, { ...info, isNamed });
    }
  }
  return [...steps.values()].toSorted((a, b) => (a.slot === b.slot ? 0 : a.slot > b.slot ? -1 : 1));
}

function leaveBehind(account: Account, slot: bigint | undefined): void {
  const left = account.queue.filter((info) => slot === undefined || info.slot < slot);
  account.before = account.queue[account.queue.length - left.length - 1]?.signature ?? account.before;
  account.queue = left;
}
