/** What may be spent on top of the calls that had to be made. */
export type Allowance = {
  /** A call was made. */
  earn(): void;
  /** Whether one more is allowed; then it is spent. */
  spend(): boolean;
};

/** A share of the calls made, of which not more than `most` is saved up. One is there from the start. */
export function createAllowance({ share, most }: { readonly share: number; readonly most: number }): Allowance {
  let saved = 1;
  return {
    earn() {
      saved = Math.min(most, saved + share);
    },
    spend() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}
