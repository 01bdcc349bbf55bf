import { AppError } from '../../../domain/errors.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { learn, recall } from '../learnt.ts';

/** Blocks from one to another, both part of it. */
export type Stretch = { readonly from: bigint; readonly to: bigint };

/** How many blocks an endpoint is asked for at a time, and from how many on it refused. */
type Width = { readonly blocks: number; readonly refused: number };

/** What is asked for, by what is read: every endpoint has limits of its own, for each. */
const FIRST_WIDTHS = { logs: 10_000, traces: 1_000 } as const;
const MAX_BLOCKS = 100_000;
/** A limit that is known within a quarter is not looked for any closer: each try costs a refusal. */
const CLOSE = 0.25;

const TOO_WIDE: ReadonlySet<string> = new Set(['upstream_too_large', 'upstream_out_of_gas']);

/**
 * Reads as much of the stretch, from its beginning, as the endpoint answers at a time: half as much after each refusal, and more again while it goes well. Throws AppError when not even one block can be read, or for what
 * has another reason.
 */
export async function readStretch<T>(
  endpoint: RpcEndpoint,
  { from, to, kind }: Stretch & { readonly kind: keyof typeof FIRST_WIDTHS },
  read: (stretch: Stretch) => Promise<T>,
): Promise<{ readonly value: T; readonly to: bigint }> {
  const key = `evm-width-${kind}`;
  const width = (): Width => recallWidth(endpoint, key) ?? { blocks: FIRST_WIDTHS[kind], refused: MAX_BLOCKS + 1 };
  let blocks = Math.min(width().blocks, Number(to - from) + 1);
  for (;;) {
    const end = from + BigInt(blocks) - 1n;
    try {
      const value = await read({ from, to: end });
      if (blocks >= width().blocks) learn(endpoint, key, widen(width()));
      return { value, to: end };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const isLate = error.code === 'upstream_timeout';
      if (!isLate && !TOO_WIDE.has(error.code)) throw error;
      learn(endpoint, key, { blocks: Math.max(1, Math.floor(blocks / 2)), refused: blocks });
      // Who did not answer in time is slow, or gone: another endpoint is asked first.
      if (isLate || blocks === 1) throw error;
      blocks = Math.floor(blocks / 2);
    }
  }
}

function widen({ blocks, refused }: Width): Width {
  if (blocks * 2 < refused) return { blocks: blocks * 2, refused };
  if (refused - blocks <= blocks * CLOSE) return { blocks, refused };
  return { blocks: Math.floor((blocks + refused) / 2), refused };
}

function recallWidth(endpoint: RpcEndpoint, key: string): Width | undefined {
  const value = recall(endpoint, key);
  return isWidth(value) ? value : undefined;
}

function isWidth(value: unknown): value is Width {
  return typeof value === 'object' && value !== null && 'blocks' in value && 'refused' in value;
}
