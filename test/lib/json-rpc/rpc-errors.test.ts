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
    // Queries over too many blocks, in the words of Infura, Alchemy, QuickNode, dRPC, Ankr, PublicNode, Tenderly and of node software.
    [
      'evm',
      -32005,
      'query returned more than 10000 results. Try with this block range [0xEC23E8, 0xEC23F5].',
      'upstream_too_large',
    ],
    ['evm', -32602, 'range 1000000 exceeds limit of 10000', 'upstream_too_large'],
    ['evm', -32005, 'query timeout exceeded', 'upstream_too_large'],
    [
      'evm',
      -32602,
      'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range',
      'upstream_too_large',
    ],
    [
      'evm',
      -32600,
      'Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Upgrade to PAYG.',
      'upstream_too_large',
    ],
    ['evm', -32614, 'eth_getLogs is limited to a 10,000 range', 'upstream_too_large'],
    ['evm', 35, 'ranges over 10000 blocks are not supported on freetier', 'upstream_too_large'],
    ['evm', -32600, 'block range is too wide', 'upstream_too_large'],
    ['evm', -32701, 'exceed maximum block range: 50000', 'upstream_too_large'],
    ['evm', -32602, 'range 9009594 is bigger than range limit 2000', 'upstream_too_large'],
    ['evm', -32000, 'requested too many blocks from 1 to 5000, maximum is set to 2048', 'upstream_too_large'],
    ['evm', -32602, 'query exceeds max results 20000, retry with the range 1-2', 'upstream_too_large'],
    ['evm', -32602, 'query block range exceeds server limit, narrow your filter: 1000', 'upstream_too_large'],
    ['evm', -32012, 'Block range too large; currently limited to 100 blocks', 'upstream_too_large'],
    // The chain's own answers.
    ['evm', 3, 'execution reverted', 'upstream_reverted'],
    ['evm', -32000, 'execution reverted: ERC20: no', 'upstream_reverted'],
    ['evm', -32015, 'VM execution error.', 'upstream_reverted'],
    ['evm', -32000, 'invalid opcode: INVALID', 'upstream_reverted'],
    ['evm', -32000, 'header not found', 'upstream_block_unavailable'],
    ['evm', -32000, 'missing trie node 0abc (path )', 'upstream_block_unavailable'],
    // The past that an endpoint does not keep, in the words of hosts and of node software.
    ['evm', -32602, 'Archive requests require a personal token. Get one at: https://host.example', 'upstream_no_history'],
    ['evm', -32002, 'project ID does not have access to archive state', 'upstream_no_history'],
    ['evm', -32000, 'Invalid Request. Requested data is older than 128 blocks.', 'upstream_no_history'],
    ['evm', -32000, 'old data not available due to pruning: requested block 1', 'upstream_no_history'],
    ['evm', -32002, 'No state available for block 0x3f9e', 'upstream_no_history'],
    ['evm', 4444, 'Pruned history unavailable', 'upstream_no_history'],
    ['evm', -32000, 'This request is not supported because your node is running with state pruning.', 'upstream_no_history'],
    ['evm', -32000, 'distance to target block exceeds maximum proof window', 'upstream_no_history'],
    ['evm', -32000, 'execution reverted: archive', 'upstream_reverted'],
    // What the endpoint does not do.
    ['evm', -32601, 'the method does not exist/is not available', 'upstream_unsupported'],
    ['solana', -32009, 'Slot 42 was skipped, or missing in long-term storage', 'upstream_block_unavailable'],
    ['solana', -32001, 'Block 42 cleaned up, does not exist on node. First available block: 43', 'upstream_block_unavailable'],
    ['solana', -32011, 'Transaction history is not available from this node', 'upstream_unsupported'],
    ['solana', -32015, 'Transaction version (1) is not supported by the requesting client', 'upstream_unsupported'],
    ['solana', -32010, 'Stake111 excluded from account secondary indexes', 'upstream_unsupported'],
    // The rest.
    ['evm', -32602, 'too many arguments, want at most 2', 'upstream_rpc_error'],
    ['evm', -32602, 'invalid block range params', 'upstream_rpc_error'],
    ['evm', -32603, 'Internal error', 'upstream_rpc_error'],
    ['evm', 0, '', 'upstream_rpc_error'],
  ])('%s %i "%s" is %s', (family, code, message, expected) => {
    expect(classifyRpcError(family, { code, message })).toBe(expected);
  });

  it.each(['too many requests', 'rate limit', 'unauthorized api key', 'out of gas', 'header not found', 'range too large'])(
    'does not take the words of a contract, "%s", for the endpoint\'s',
    (words) => {
      expect(classifyRpcError('evm', { code: -32000, message: `execution reverted: ${words}` })).toBe('upstream_reverted');
    },
  );

  it('is quick with a text made to be slow', () => {
    const startedAt = performance.now();
    for (const part of ['exceed ', 'state ', 'max ', 'invalid', 'range ']) {
      classifyRpcError('evm', { code: -32000, message: part.repeat(1_000_000) });
    }
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});

it("keeps the server's own words, cut short, for the log alone", () => {
  const error = toRpcError('evm', 'rpc.example.com', { code: -32603, message: `see https://x/KEY ${'x'.repeat(1000)}` });
  expect(error.message).toBe('rpc.example.com answered with RPC error -32603.');
  expect(error.cause).toMatchObject({ message: expect.stringMatching(/^see .{296}$/) });
});
