import { z } from 'zod';
import { RpcError } from './rpc-error.ts';
import type { TransactionRecord } from './transaction-record.ts';
import type { Vm } from './vm.ts';

/** What the node still knows of the past: nothing before `firstAvailable`. */
export type NodeHistory = { readonly vm: Vm; readonly firstAvailable: bigint };

const MAX_SIGNATURES = 1000;

const signaturesSchema = z
  .object({
    limit: z.number().int().min(1).optional(),
    before: z.string().optional(),
    until: z.string().optional(),
    commitment: z.enum(['confirmed', 'finalized']).optional(),
    minContextSlot: z.number().optional(),
  })
  .default({});
const transactionSchema = z
  .object({
    encoding: z.literal('json').optional(),
    commitment: z.enum(['confirmed', 'finalized']).optional(),
    maxSupportedTransactionVersion: z.number().optional(),
  })
  .default({});

/** Answers the methods that tell of the past, from what the VM has run. Throws RpcError as Agave does, also for methods that there are none of. */
export function answerHistory(history: NodeHistory, method: string, params: readonly unknown[]): unknown {
  switch (method) {
    case 'getFirstAvailableBlock':
      return history.firstAvailable;
    case 'getBlockTime':
      return blockTimeOf(history, BigInt(z.number().parse(params[0])));
    case 'getSignaturesForAddress':
      return listSignatures(history, z.string().parse(params[0]), signaturesSchema.parse(params[1]));
    case 'getTransaction':
      return findTransaction(history, z.string().parse(params[0]), transactionSchema.parse(params[1]));
    default:
      throw new RpcError(-32601, 'Method not found');
  }
}

function known({ vm, firstAvailable }: NodeHistory): readonly TransactionRecord[] {
  return vm.transactions.filter(({ slot }) => slot >= firstAvailable);
}

function blockTimeOf(history: NodeHistory, slot: bigint): bigint {
  if (slot > history.vm.slot()) throw new RpcError(-32004, `Block not available for slot ${slot}`);
  const found = known(history).find((record) => record.slot === slot);
  if (found === undefined) throw new RpcError(-32009, `Slot ${slot} was skipped, or missing in long-term storage`);
  return found.blockTime;
}

/** Newest first. As the real node, it answers with nothing when it does not know where to begin. */
function listSignatures(history: NodeHistory, address: string, query: z.infer<typeof signaturesSchema>): unknown[] {
  const { limit = MAX_SIGNATURES, before, until, minContextSlot } = query;
  if (limit > MAX_SIGNATURES) throw new RpcError(-32602, `Invalid limit; max ${MAX_SIGNATURES}`);
  const slot = history.vm.slot();
  if (minContextSlot !== undefined && BigInt(minContextSlot) > slot) {
    throw new RpcError(-32016, 'Minimum context slot has not been reached', { contextSlot: Number(slot) });
  }
  const newestFirst = known(history).toReversed();
  const start = before === undefined ? 0 : newestFirst.findIndex(({ signature }) => signature === before) + 1;
  if (before !== undefined && start === 0) return [];
  const end = newestFirst.findIndex(({ signature }) => signature === until);
  return newestFirst
    .slice(start, end === -1 ? undefined : end)
    .filter(({ keys }) => keys.some((key) => key === address))
    .slice(0, limit)
    .map(({ signature, slot: at, err, blockTime }) => ({
      signature,
      slot: at,
      err,
      memo: null,
      blockTime,
      confirmationStatus: 'finalized',
    }));
}

function findTransaction(history: NodeHistory, signature: string, query: z.infer<typeof transactionSchema>): unknown {
  const found = known(history).find((record) => record.signature === signature);
  if (found === undefined) return null;
  const { slot, blockTime, transaction, meta, version } = found;
  if (version !== 'legacy' && version > (query.maxSupportedTransactionVersion ?? -1)) {
    throw new RpcError(
      -32015,
      `Transaction version (${version}) is not supported by the requesting client. Please try the request again with the following configuration parameter: "maxSupportedTransactionVersion": ${version}`,
    );
  }
  return { slot, blockTime, transaction, meta, version };
}
