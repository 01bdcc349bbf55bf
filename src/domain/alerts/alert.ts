import { Decimal } from '../decimal.ts';
import type { IncompleteReason } from '../portfolio.ts';

export const ALERT_KINDS = ['value', 'share', 'price', 'staleness'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];
export type AlertDirection = 'above' | 'below';

/** Why nothing can be said for now. */
export const ALERT_UNKNOWN_REASONS = [
  'source_never_read',
  'source_failed',
  'source_stale',
  'source_unsupported',
  'asset_failed',
  'unpriced',
  'price_stale',
  'price_missing',
  'quarantined',
  'fx_missing',
  'fx_stale',
  'nothing_held',
  'nothing_read',
] as const satisfies readonly (IncompleteReason | string)[];
export type AlertUnknownReason = (typeof ALERT_UNKNOWN_REASONS)[number];

/** What an owner wants to be told of. Only the last six can be changed. */
export type AlertRule = {
  readonly kind: AlertKind;
  /** Of one wallet; null: of all of them. Only of a value and of staleness. */
  readonly walletId: string | null;
  /** Of a share and a price. */
  readonly assetId: string | null;
  /** Of a value and a price: an upper-case code. */
  readonly currency: string | null;
  readonly name: string | null;
  readonly direction: AlertDirection;
  /** In the currency; part of the total from 0 to 1; seconds. */
  readonly threshold: Decimal;
  /** Part of the threshold by which the figure must come back before the alert is over, from 0 to below 1. */
  readonly hysteresis: Decimal;
  /** The least time between two times that it triggers. */
  readonly cooldownSeconds: number;
  readonly isEnabled: boolean;
};

export type AlertState = {
  readonly isTriggered: boolean;
  /** The figure when it was looked at last; null when it was not known. */
  readonly value: Decimal | null;
  /** Why it was not known, or not for certain. Then nothing triggers and nothing is over. */
  readonly unknownReasons: readonly AlertUnknownReason[];
  readonly evaluatedAt: Date | null;
  readonly triggeredAt: Date | null;
  readonly resolvedAt: Date | null;
};

export type Alert = AlertRule & {
  readonly id: string;
  readonly state: AlertState;
  /** Counts changes of the rule and of the state. */
  readonly revision: number;
  /** Another one after each change of the rule. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** The figure that a rule is about. With a reason, it is not known, or not for certain. */
export type Measure = { readonly value: Decimal | null; readonly unknownReasons: readonly AlertUnknownReason[] };

/**
 * What a figure does to an alert: sets it off, ends it, or nothing. Beyond the threshold is what sets off, and it takes the way back over it and the hysteresis to end, so that what swings about the threshold is told
 * once. What is not known for certain does nothing.
 */
export function judgeAlert(
  rule: Pick<AlertRule, 'kind' | 'direction' | 'threshold' | 'hysteresis' | 'cooldownSeconds'>,
  state: Pick<AlertState, 'isTriggered' | 'triggeredAt'>,
  { value, unknownReasons }: Measure,
  now: Date,
): 'triggered' | 'resolved' | null {
  if (value === null || unknownReasons.length > 0) return null;
  const { kind, direction, threshold, hysteresis } = rule;
  if (!state.isTriggered) {
    const isBeyond = direction === 'above' ? value.gt(threshold) : value.lt(threshold);
    return isBeyond && !isCooling(rule, state, now) ? 'triggered' : null;
  }
  const wayBack = threshold.times(direction === 'above' ? hysteresis.minus(1).negated() : hysteresis.plus(1));
  // No share can come back beyond the whole.
  const end = kind === 'share' ? Decimal.min(wayBack, 1) : wayBack;
  const isBack = direction === 'above' ? value.lte(end) : value.gte(end);
  return isBack ? 'resolved' : null;
}

function isCooling(
  { cooldownSeconds }: Pick<AlertRule, 'cooldownSeconds'>,
  { triggeredAt }: Pick<AlertState, 'triggeredAt'>,
  now: Date,
): boolean {
  return triggeredAt !== null && now.getTime() - triggeredAt.getTime() < cooldownSeconds * 1000;
}
