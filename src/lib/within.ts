/** Waits for work, but no longer than this; the work itself goes on. Throws what `tooLate` makes when the time is up first. */
export async function within<T>(
  work: Promise<T>,
  { timeoutMs, tooLate }: { readonly timeoutMs: number; readonly tooLate: () => Error },
): Promise<T> {
  const timeUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeUp.reject(tooLate()), timeoutMs);
  try {
    // Whichever comes later counts as heard, also when it fails.
    return await Promise.race([work, timeUp.promise]);
  } finally {
    clearTimeout(timer);
  }
}
