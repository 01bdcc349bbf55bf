import { describe, expect, it } from 'vitest';
import { classifyRpcError, type RpcFamily, toRpcError } from '../../../src/lib/json-rpc/rpc-errors.ts';

describe('classifyRpcError', () => {
  it.each<[RpcFamily, number, string, string]>([
    // One number, two meanings.
    ['evm', -32005, 'daily request count exceeded, request rate limited', 'upstream_rate_limited'],
    ['solana', -32005, 'Node is behind by 42 slots', 'upstream_block_unavailable'],
    ['evm', -32007, '50/second request limit reached', 'upstream_rate_limited'],
    ['solana', -32016, 'Minimum context slot has not been reached', 'upstream_block_unavailable'],
    // Limits.
    ['evm', 429, 'Your app has exceeded its compute units per second capacity', 'upstream_rate_limited'],
    ['solana', 429, 'Too many requests for a specific RPC call', 'upstream_rate_limited'],
    ['evm', -32600, 'Monthly capacity limit exceeded.', 'upstream_rate_limited'],
    ['evm', -32000, 'project ID request rate exceeded: Too Many Requests', 'upstream_rate_limited'],
    ['evm', -32603, 'Unauthorized: invalid API key', 'upstream_unauthorized'],
    ['evm', 402, 'Payment Required', 'upstream_unauthorized'],
    // What a smaller request may get round.
    ['evm', -32000, 'out of gas', 'upstream_out_of_gas'],
    ['evm', -32000, 'gas required exceeds allowance (50000000)', 'upstream_out_of_gas'],
    ['evm', -32000, 'execution aborted (timeout = 5s)', 'upstream_out_of_gas'],
    ['evm', -32600, 'batch too large: limit is 10', 'upstream_too_large'],
    ['evm', -32000, 'response size exceeded the maximum of 150 MB', 'upstream_too_large'],
    ['solana', -32602, 'Too many inputs provided; max 100', 'upstream_too_large'],
    // The chain's own answers.
    ['evm', 3, 'execution reverted', 'upstream_reverted'],
    ['evm', -32000, 'execution reverted: ERC20: no', 'upstream_reverted'],
    ['evm', -32015, 'VM execution error.', 'upstream_reverted'],
    ['evm', -32000, 'invalid opcode: INVALID', 'upstream_reverted'],
    ['evm', -32000, 'header not found', 'upstream_block_unavailable'],
    ['evm', -32000, 'missing trie node 0abc (path )', 'upstream_block_unavailable'],
    // What the endpoint does not do.
    ['evm', -32601, 'the method does not exist/is not available', 'upstream_unsupported'],
    ['solana', -32010, 'Stake111 excluded from account secondary indexes', 'upstream_unsupported'],
    // The rest.
    ['evm', -32602, 'too many arguments, want at most 2', 'upstream_rpc_error'],
    ['evm', -32603, 'Internal error', 'upstream_rpc_error'],
    ['evm', 0, '', 'upstream_rpc_error'],
  ])('%s %i "%s" is %s', (family, code, message, expected) => {
    expect(classifyRpcError(family, { code, message })).toBe(expected);
  });

  it.each(['too many requests', 'rate limit', 'unauthorized api key', 'out of gas', 'header not found'])(
    'does not take the words of a contract, "%s", for the endpoint\'s',
    (words) => {
      expect(classifyRpcError('evm', { code: -32000, message: `execution reverted: ${words}` })).toBe('upstream_reverted');
    },
  );

  it('is quick with a text made to be slow', () => {
    const startedAt = performance.now();
    for (const part of ['exceed ', 'state ', 'max ', 'invalid']) {
      classifyRpcError('evm', { code: -32000, message: part.repeat(1_000_000) });
    }
    expect(performance.now() - startedAt).toBeLessThan(200);
  });
});

it("keeps the server's own words, cut short, for the log alone", () => {
  const error = toRpcError('evm', 'rpc.example.com', { code: -32603, message: `see https://x/KEY ${'x'.repeat(1000)}` });
  expect(error.message).toBe('rpc.example.com answered with RPC error -32603.');
  expect(error.cause).toMatchObject({ message: expect.stringMatching(/^see .{296}$/) });
});
