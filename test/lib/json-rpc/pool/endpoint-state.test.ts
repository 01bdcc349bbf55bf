import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../../src/domain/errors.ts';
import { advance, type EndpointHealth, type HealthEvent, newHealth } from '../../../../src/lib/json-rpc/pool/endpoint-state.ts';

const START = 1_000_000;
const succeeded: HealthEvent = { type: 'succeeded' };

function failed(
  code: ErrorCode = 'upstream_timeout',
  options: { isLastLive?: boolean; retryAfterMs?: number } = {},
): HealthEvent {
  return { type: 'failed', code, retryAfterMs: options.retryAfterMs, isLastLive: options.isLastLive ?? false };
}

/** One event a second. */
function healthAfter(...events: readonly HealthEvent[]): EndpointHealth {
  return events.reduce((health, event, index) => advance(health, event, START + index * 1_000), newHealth(START));
}

function times(count: number, event: HealthEvent): readonly HealthEvent[] {
  return Array.from({ length: count }, () => event);
}

describe('an endpoint that is alive', () => {
  it('stays so after two failures, behind the others for a while', () => {
    const health = healthAfter(...times(2, failed()));
    expect(health).toMatchObject({ state: 'alive', failures: 2, lastError: { code: 'upstream_timeout', at: START + 1_000 } });
    expect(health.demotedUntil).toBe(START + 1_000 + 30_000);
    expect(advance(health, succeeded, START + 2_000).demotedUntil).toBe(0);
  });

  it('transitions to unreachable with threshold failures', () => {
    expect(healthAfter(...times(3, failed())).state).toBe('unreachable');
  });

  it('with threshold failures, but the last one live, is kept alive', () => {
    expect(healthAfter(...times(3, failed('upstream_status', { isLastLive: true }))).state).toBe('alive');
    expect(healthAfter(...times(4, failed('upstream_status', { isLastLive: true }))).state).toBe('alive');
  });

  it('is given up though the last one when nothing comes of it at all', () => {
    expect(healthAfter(...times(5, failed('upstream_timeout', { isLastLive: true }))).state).toBe('unreachable');
  });

  it('failing every other call never becomes unreachable', () => {
    expect(healthAfter(...Array.from({ length: 100 }, () => [failed(), succeeded]).flat()).state).toBe('alive');
  });

  it('failing two of three calls becomes unreachable', () => {
    expect(healthAfter(...Array.from({ length: 4 }, () => [failed(), failed(), succeeded]).flat()).state).not.toBe('alive');
  });

  it('is not blamed for what it was asked', () => {
    for (const code of ['upstream_reverted', 'upstream_too_large', 'upstream_block_unavailable', 'upstream_aborted'] as const) {
      expect(healthAfter(...times(10, failed(code)))).toEqual(newHealth(START));
    }
  });

  it('stands back when another endpoint was faster, and stays alive', () => {
    expect(healthAfter({ type: 'outpaced' })).toMatchObject({ state: 'alive', failures: 0, demotedUntil: START + 30_000 });
  });

  it('on another chain transitions to wrong_chain, and refused the key to unauthorized, though it is the last', () => {
    expect(healthAfter(failed('upstream_wrong_chain', { isLastLive: true })).state).toBe('wrong_chain');
    expect(healthAfter(failed('upstream_unauthorized', { isLastLive: true })).state).toBe('unauthorized');
  });

  it('is unreachable as soon as its breaker opens', () => {
    expect(healthAfter({ type: 'broken' }).state).toBe('unreachable');
    expect(healthAfter(failed('upstream_wrong_chain'), { type: 'broken' }).state).toBe('wrong_chain');
  });
});

describe('an endpoint that was gone', () => {
  it.each(['upstream_wrong_chain', 'upstream_unauthorized'] as const)('by %s comes back after three good probes', (code) => {
    const gone = failed(code);
    expect(healthAfter(gone, succeeded).state).toBe('probing');
    expect(healthAfter(gone, succeeded, succeeded).state).toBe('probing');
    expect(healthAfter(gone, succeeded, succeeded, succeeded)).toMatchObject({ state: 'alive', failures: 0 });
  });

  it('while probing, one failure makes unreachable again and the probes begin anew', () => {
    const flapping = [...times(3, failed()), succeeded, succeeded, failed()];
    expect(healthAfter(...flapping).state).toBe('unreachable');
    expect(healthAfter(...flapping, succeeded, succeeded).state).toBe('probing');
  });
});

describe('an endpoint that asks for a pause', () => {
  it('is limited for as long as it said, but never for no time', () => {
    const limited = healthAfter(failed('upstream_rate_limited', { retryAfterMs: 7_000 }));
    expect(limited).toMatchObject({ state: 'limited', limitedUntil: START + 7_000, failures: 0 });
    expect(advance(limited, { type: 'tick' }, START + 6_999).state).toBe('limited');
    expect(advance(limited, { type: 'tick' }, START + 7_000).state).toBe('alive');
    expect(healthAfter(failed('upstream_rate_limited', { retryAfterMs: 0 })).limitedUntil).toBe(START + 1_000);
    expect(healthAfter(failed('upstream_rate_limited')).limitedUntil).toBe(START + 5_000);
  });

  it('stays limited when a call in flight is answered', () => {
    expect(healthAfter(failed('upstream_rate_limited'), succeeded).state).toBe('limited');
  });
});

describe('an endpoint that is behind', () => {
  const behind: HealthEvent = { type: 'compared', isBehind: true };
  const caughtUp: HealthEvent = { type: 'compared', isBehind: false };

  it('is lagging, and alive again after three good looks in a row', () => {
    expect(healthAfter(behind).state).toBe('lagging');
    expect(healthAfter(behind, caughtUp, caughtUp).state).toBe('lagging');
    expect(healthAfter(behind, caughtUp, caughtUp, behind, caughtUp, caughtUp).state).toBe('lagging');
    expect(healthAfter(behind, caughtUp, caughtUp, caughtUp).state).toBe('alive');
  });

  it('stays lagging if it answers but lags on', () => {
    expect(healthAfter(behind, succeeded, behind, succeeded, behind).state).toBe('lagging');
  });

  it('is not made alive by being level while it is unreachable', () => {
    expect(healthAfter(...times(3, failed()), caughtUp, caughtUp, caughtUp).state).toBe('unreachable');
  });
});

it('whatever happens, counts stay sane, and success in the end brings every endpoint back', () => {
  const event: fc.Arbitrary<HealthEvent> = fc.oneof(
    fc.constant(succeeded),
    fc.record({
      type: fc.constant('failed' as const),
      code: fc.constantFrom<ErrorCode>(
        'upstream_timeout',
        'upstream_rate_limited',
        'upstream_unauthorized',
        'upstream_wrong_chain',
        'upstream_reverted',
      ),
      retryAfterMs: fc.option(fc.nat(30_000), { nil: undefined }),
      isLastLive: fc.boolean(),
    }),
    fc.constantFrom<HealthEvent>({ type: 'outpaced' }, { type: 'broken' }, { type: 'tick' }),
    fc.record({ type: fc.constant('compared' as const), isBehind: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const health = healthAfter(...events);
      expect(health.failures).toBeGreaterThanOrEqual(health.streak > 0 ? 1 : 0);
      expect(health.since).toBeLessThanOrEqual(START + events.length * 1_000);
      const later = START + events.length * 1_000 + 60_000;
      const good: readonly HealthEvent[] = [{ type: 'tick' }, succeeded, { type: 'compared', isBehind: false }];
      const end = Array.from({ length: 6 }, () => good).flat();
      expect(end.reduce((now, one) => advance(now, one, later), health).state).toBe('alive');
    }),
  );
});
