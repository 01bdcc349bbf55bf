import type { FaultMode } from '../../../localnet/fault-server.ts';
import type { ErrorCode } from '../../../src/domain/errors.ts';

/** How an endpoint can fail a single call, and the code that the failure goes by. */
export const FAULTS: readonly (readonly [FaultMode, ErrorCode])[] = [
  ['hang', 'upstream_timeout'],
  ['drip', 'upstream_timeout'],
  ['html200', 'upstream_malformed'],
  ['html503', 'upstream_status'],
  ['huge', 'upstream_too_large'],
  ['huge-declared', 'upstream_too_large'],
  ['bomb', 'upstream_encoding'],
  ['redirect', 'upstream_redirect'],
  ['rpc-429', 'upstream_rate_limited'],
  ['half', 'upstream_rate_limited'],
  ['half-429', 'upstream_rate_limited'],
  ['r429', 'upstream_rate_limited'],
  ['r429-seconds', 'upstream_rate_limited'],
  ['r429-date', 'upstream_rate_limited'],
  ['r429-3600', 'upstream_rate_limited'],
  ['r429-0', 'upstream_rate_limited'],
  ['r429-garbage', 'upstream_rate_limited'],
  ['r429-negative', 'upstream_rate_limited'],
  ['status-401', 'upstream_unauthorized'],
  ['status-402', 'upstream_unauthorized'],
  ['status-403', 'upstream_unauthorized'],
  ['status-404', 'upstream_unsupported'],
  ['status-413', 'upstream_too_large'],
  ['status-500', 'upstream_status'],
  ['truncated', 'upstream_malformed'],
  ['wrong-ids', 'upstream_malformed'],
  ['missing-ids', 'upstream_malformed'],
  ['reset', 'upstream_unreachable'],
  ['cut', 'upstream_unreachable'],
];

/** Faults of the endpoint as such, which fail a whole batch rather than items of it. */
export const UNFIT_FOR_BATCHES: ReadonlySet<FaultMode> = new Set(
  FAULTS.map(([mode]) => mode).filter((mode) => !['rpc-429', 'half', 'half-429', 'wrong-ids', 'missing-ids'].includes(mode)),
);

/** Time for an endpoint with this fault: little where the fault is to use it up, ample where only a slow machine does. */
export function patienceMs(mode: FaultMode | undefined): number {
  return mode === 'hang' || mode === 'drip' ? 300 : 10_000;
}
