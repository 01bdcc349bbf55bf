export type SpamReason = 'bad_pattern' | 'impersonation' | 'unlisted_unpriced' | 'owner_says_spam';

/** Whether an asset is hidden from totals and default lists, why, and whose word it is. */
export type SpamVerdict = {
  readonly isSpam: boolean;
  /** What the rules found, also when the owner overruled them. */
  readonly reasons: readonly SpamReason[];
  readonly decidedBy: 'rules' | 'owner';
};
