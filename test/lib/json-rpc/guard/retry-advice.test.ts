import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/domain/errors.ts';
import { adviseRetry } from '../../../../src/lib/json-rpc/guard/retry-advice.ts';
import { classifyRpcError, type RpcFamily } from '../../../../src/lib/json-rpc/rpc-errors.ts';

type Case = readonly [family: RpcFamily, code: number, message: string, here: boolean, elsewhere: boolean];

describe('an RPC error', () => {
  it.each<Case>([
    // The same number means "too fast" in one family and "I am behind" in the other: both are for another endpoint, and neither for this one at once.
    ['evm', -32005, '', false, true],
    ['solana', -32005, 'Node is behind by 150 slots', false, true],
    ['solana', -32016, 'Minimum context slot has not been reached', false, true],
    ['evm', -32007, 'request limit reached', false, true],
    ['evm', 429, 'Your app has exceeded its compute units per second capacity', false, true],
    ['evm', 403, 'Monthly capacity limit exceeded', false, true],
    ['evm', -32601, 'the method does not exist', false, true],
    ['evm', -32000, 'header not found', false, true],
    ['evm', -32000, 'out of gas', false, true],
    ['evm', 3, 'execution reverted', false, false],
    ['evm', -32000, 'execution reverted: rate limit exceeded', false, false],
    // What nobody has classified is asked elsewhere, not here.
    ['evm', -32000, 'something went wrong', false, true],
    ['solana', -32603, 'Internal error', false, true],
  ])('%s %i "%s": here %s, elsewhere %s', (family, code, message, here, elsewhere) => {
    expect(adviseRetry(classifyRpcError(family, { code, message }))).toMatchObject({ here, elsewhere });
  });

  it('of any number and text never makes an endpoint be asked twice, and only a refusal of the key speaks against it', () => {
    fc.assert(
      fc.property(fc.constantFrom<RpcFamily>('evm', 'solana'), fc.integer(), fc.string(), (family, code, message) => {
        const kind = classifyRpcError(family, { code, message });
        const advice = adviseRetry(kind);
        expect(advice.here).toBe(false);
        expect(advice.blamesEndpoint).toBe(kind === 'upstream_unauthorized');
      }),
    );
  });
});

describe('a failure of the transport', () => {
  it.each<[ErrorCode, boolean]>([
    // A second full timeout is not worth it; a connection that was closed in between is.
    ['upstream_timeout', false],
    ['upstream_unreachable', true],
    ['upstream_malformed', true],
    ['upstream_status', true],
    ['upstream_redirect', false],
    ['upstream_encoding', false],
    ['upstream_wrong_chain', false],
  ])('%s speaks against the endpoint and is for another one; here again: %s', (code, here) => {
    expect(adviseRetry(code)).toEqual({ here, elsewhere: true, blamesEndpoint: true });
  });
});

it.each<ErrorCode>(['upstream_aborted', 'upstream_no_endpoint', 'name_not_found', 'internal'])('%s ends the run', (code) => {
  expect(adviseRetry(code)).toEqual({ here: false, elsewhere: false, blamesEndpoint: false });
});
