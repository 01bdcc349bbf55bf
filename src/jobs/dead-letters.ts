import type { WalletBatch } from '../domain/wallet-batch.ts';
import type { DeadLetter, JobQueue } from './job-queue.ts';
import { SCHEDULE_NAMES } from './jobs.ts';
import { BATCH_JOB, parseBatchPayload } from './payloads.ts';

/** What an operator can do about jobs that were given up. */
export type DeadLetters = {
  /** A line for each, newest first. */
  describe(): Promise<string>;
  /** Has the work done again. Throws when there is no dead letter of this id. */
  replay(id: string): Promise<void>;
  /** Gives the number. */
  replayAll(): Promise<number>;
};

type DeadLettersDeps = {
  readonly queue: Pick<JobQueue, 'listDeadLetters' | 'retry' | 'removeDeadLetter'>;
  /** Makes the wallets of a batch due at once. */
  readonly redoBatch: (batch: WalletBatch) => Promise<void>;
};

/** As many as the queue keeps. */
const MAX_LISTED = 1_000;

export function createDeadLetters({ queue, redoBatch }: DeadLettersDeps): DeadLetters {
  const list = (): Promise<readonly DeadLetter[]> => queue.listDeadLetters(MAX_LISTED);
  const redo = async ({ id, name, data }: DeadLetter): Promise<void> => {
    const batch = name === BATCH_JOB ? parseBatchPayload(data) : undefined;
    // Its claim is long over: its wallets are taken on anew.
    if (batch !== undefined) await redoBatch(batch);
    // The next run of a schedule is due by itself.
    if (batch !== undefined || SCHEDULE_NAMES.has(name)) await queue.removeDeadLetter(id);
    else await queue.retry(id);
  };
  return {
    async describe() {
      const letters = await list();
      return letters.length === 0 ? 'There are no dead letters.' : letters.map(describe).join('\n');
    },
    async replay(id) {
      const letter = (await list()).find((each) => each.id === id);
      if (letter === undefined) throw new Error(`There is no dead letter of the id ${id}.`);
      await redo(letter);
    },
    async replayAll() {
      const letters = await list();
      for (const letter of letters) await redo(letter);
      return letters.length;
    },
  };
}

function describe({ id, name, reason, failedAt, data }: DeadLetter): string {
  const batch = name === BATCH_JOB ? parseBatchPayload(data) : undefined;
  const what = batch === undefined ? '' : ` (${batch.walletIds.length} wallets on ${batch.chain})`;
  return `${id}  ${failedAt.toISOString()}  ${oneLine(name)}${what}: ${oneLine(reason)}`;
}

/** What others wrote, fit for a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 300);
}
