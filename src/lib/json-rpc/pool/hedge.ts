/** One way to the same answer. Its own signal is aborted when the answer came another way. */
type Attempt<T> = (signal: AbortSignal) => Promise<T>;

export type HedgeOptions<T> = {
  readonly first: Attempt<T>;
  /** Called when the first is late: the second way, or undefined if there is none to be had now. */
  readonly second: () => Attempt<T> | undefined;
  readonly delayMs: number;
  readonly signal: AbortSignal;
  /** Both were tried, and one answered; `won`: the second did. */
  readonly onHedge: (outcome: { readonly won: boolean }) => void;
};

/**
 * Tries one way and, if it is late, another one beside it. The first good answer counts and ends the other attempt. Rejects when none is left, with what
 * the first one failed by.
 */
export async function hedge<T>({ first, second, delayMs, signal, onHedge }: HedgeOptions<T>): Promise<T> {
  const ends = [new AbortController(), new AbortController()] as const;
  const endAll = (): void => {
    for (const end of ends) end.abort(signal.reason);
  };
  signal.addEventListener('abort', endAll, { once: true });
  if (signal.aborted) endAll();
  let timer: NodeJS.Timeout | undefined;
  try {
    const one = first(ends[0].signal);
    const isLate = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, delayMs, 'late');
    });
    const early = await Promise.race([one.then((value) => ({ value })), isLate]);
    if (early !== 'late') return early.value;
    const other = second()?.(ends[1].signal);
    if (other === undefined) return await one;
    const race = Promise.any([
      one.then((value) => ({ value, isFirst: true })),
      other.then((value) => ({ value, isFirst: false })),
    ]);
    const winner = await race.catch(() => undefined);
    if (winner === undefined) return await one;
    onHedge({ won: !winner.isFirst });
    return winner.value;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', endAll);
    endAll();
  }
}
