import { AppError } from '../../../domain/errors.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { readHexQuantity } from '../hex.ts';
import { type Fee, readAddress } from './transfer-movement.ts';

/** More than there can be of any coin. */
const MAX_AMOUNT = 2n ** 128n;

/**
 * What each transaction cost whoever sent it: the gas, what its blobs cost, and what a chain above another one charges for the room there. Throws AppError, upstream_block_unavailable for a transaction that the endpoint does not have.
 */
export async function readFees(endpoint: RpcEndpoint, txHashes: readonly string[], signal: AbortSignal): Promise<readonly Fee[]> {
  const items = await endpoint.batch(
    txHashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
    { signal },
  );
  return txHashes.map((txHash, index) => {
    const item = items[index];
    if (item?.ok === false) throw item.error;
    return readReceipt(item?.value, { txHash, provider: endpoint.name });
  });
}

function readReceipt(receipt: unknown, { txHash, provider }: { readonly txHash: string; readonly provider: string }): Fee {
  if (typeof receipt !== 'object' || receipt === null) {
    throw new AppError('upstream_block_unavailable', `${provider} does not have a transaction.`, { provider });
  }
  const quantity = (name: string): bigint | undefined => readHexQuantity(Reflect.get(receipt, name));
  const payer = readAddress(Reflect.get(receipt, 'from'));
  const blockNumber = quantity('blockNumber');
  const gasUsed = quantity('gasUsed');
  const gasPrice = quantity('effectiveGasPrice');
  if (payer === undefined || blockNumber === undefined || gasUsed === undefined || gasPrice === undefined)
    throw malformed(provider);
  const blobs = (quantity('blobGasUsed') ?? 0n) * (quantity('blobGasPrice') ?? 0n);
  const amountRaw = gasUsed * gasPrice + blobs + (quantity('l1Fee') ?? 0n);
  if (amountRaw > MAX_AMOUNT) throw malformed(provider);
  return { payer, txHash, blockNumber, amountRaw };
}

function malformed(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent a receipt that makes no sense.`, { provider });
}
