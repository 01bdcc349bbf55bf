import { setTimeout as sleep } from 'node:timers/promises';
import { createAllowance } from '../guard/allowance.ts';
import { createRunFailures } from '../guard/run-failures.ts';
import type { RpcEndpoint } from '../rpc-endpoint.ts';
import { chooseEndpoints, isUsable } from './endpoint-choice.ts';
import {
  createEndpointMember,
  type EndpointMember,
  type ProbeHead,
  type StateReport,
  type Task,
  type Verify,
} from './endpoint-member.ts';
import { createProber } from './endpoint-prober.ts';
import { describeEndpoints, type EndpointStatus } from './endpoint-status.ts';
import { createHeadMonitor, type HeadMonitor } from './head-monitor.ts';
import { hedge } from './hedge.ts';

/**
 * The endpoints of one chain, in order of preference. `run` hands a task a verified endpoint (its chain id or genesis hash has been checked) and moves on to
 * the next one when the task throws an AppError that another endpoint might not throw. Endpoints that fail, lag or ask for a pause stand back, and while
 * the chain is in use they are probed in the background until they are good again.
 */
export type EndpointPool = {
  /**
   * Runs the task on the first endpoint that serves it. Rejects with the last endpoint's AppError when none does, with
   * `upstream_unsupported` only when none failed otherwise, and at once with what no endpoint can help: see `retry-advice.ts`.
   * A hedged task may run on two endpoints at a time: it must only read, be cheap, and use the signal it is given.
   */
  run<T>(task: Task<T>, signal: AbortSignal, options?: { readonly isHedged?: boolean }): Promise<T>;
  /** Puts these before the endpoints that it was made with, in place of those that were put there before. Those that stay keep what is known of them. */
  prefer(endpoints: readonly RpcEndpoint[]): void;
  /** The masked names, in order. */
  readonly names: readonly string[];
  /** How far the endpoints are, and what was served of the chain. */
  readonly heads: HeadMonitor<RpcEndpoint>;
  status(): readonly EndpointStatus[];
  /** Ends the probes. */
  close(): void;
};

export type EndpointPoolOptions = {
  readonly endpoints: readonly RpcEndpoint[];
  /** Throws upstream_wrong_chain when the endpoint serves another chain than ours. */
  readonly verify: Verify;
  /** Reads the newest block by the method that tasks use. Without it nothing is probed in the background. */
  readonly probeHead?: ProbeHead;
  readonly blockTimeMs?: number;
  readonly onState?: (report: StateReport) => void;
  /** A second endpoint was asked because the first one was late; whether it was the first to answer. */
  readonly onHedge?: (hedge: { readonly won: boolean }) => void;
  /** The shortest usual wait between two looks at an endpoint; default 5 000. */
  readonly probeUnitMs?: number;
};

/** A chain that nobody has read for this long is not probed. */
const IN_USE_FOR_MS = 10 * 60_000;
const DEFAULT_BLOCK_TIME_MS = 12_000;
const DEFAULT_PROBE_UNIT_MS = 5_000;
const LEAST_HEDGE_DELAY_MS = 50;
/** While too few calls were made to know what is late. */
const FIRST_HEDGE_DELAY_MS = 1_000;
/** Hedges and repeats are at most a tenth of the calls: when everything is slow, asking twice makes it slower. */
const EXTRA_SHARE = 0.1;
const MOST_EXTRA = 10;
const REPEAT_PAUSE_MS = 200;

export function createEndpointPool(options: EndpointPoolOptions): EndpointPool {
  const { endpoints, probeHead, probeUnitMs = DEFAULT_PROBE_UNIT_MS, blockTimeMs = DEFAULT_BLOCK_TIME_MS } = options;
  const heads = createHeadMonitor<RpcEndpoint>({ blockTimeMs });
  const toMember = (endpoint: RpcEndpoint): EndpointMember =>
    createEndpointMember({
      endpoint,
      verify: options.verify,
      probeHead,
      heads,
      isLastLive: () => !members.some((other) => other.endpoint !== endpoint && isUsable(other)),
      onState: options.onState,
      probeUnitMs,
    });
  const members: EndpointMember[] = endpoints.map(toMember);
  let usedAt = Number.NEGATIVE_INFINITY;
  const isInUse = (): boolean => Date.now() - usedAt < IN_USE_FOR_MS;
  const prober = createProber({ targets: probeHead === undefined ? [] : members, isInUse, unitMs: probeUnitMs });
  const runner = createRunner(members, options.onHedge);
  return {
    prefer(preferred) {
      const known = new Map(members.map((member) => [member.endpoint, member]));
      const wanted = new Set([...preferred, ...endpoints]);
      for (const endpoint of known.keys()) if (!wanted.has(endpoint)) heads.forget(endpoint);
      members.splice(0, members.length, ...[...wanted].map((endpoint) => known.get(endpoint) ?? toMember(endpoint)));
    },
    get names() {
      return members.map(({ endpoint }) => endpoint.name);
    },
    heads,
    status: () => describeEndpoints({ members, heads, isInUse: isInUse() }),
    close: prober.close,
    async run(task, signal, { isHedged = false } = {}) {
      usedAt = Date.now();
      try {
        return await runner({ task, signal, isHedged });
      } finally {
        prober.wake();
      }
    },
  };
}

type Run<T> = { readonly task: Task<T>; readonly signal: AbortSignal; readonly isHedged: boolean };

function createRunner(
  members: readonly EndpointMember[],
  onHedge: EndpointPoolOptions['onHedge'],
): <T>(run: Run<T>) => Promise<T> {
  const extra = createAllowance({ share: EXTRA_SHARE, most: MOST_EXTRA });
  return async (run) => {
    extra.earn();
    const failures = createRunFailures();
    const { usable, resort } = chooseEndpoints(members);
    const tryAll = async (list: readonly EndpointMember[]) => {
      const tried = new Set<EndpointMember>();
      for (const member of list) {
        if (tried.has(member)) continue;
        tried.add(member);
        const backup = run.isHedged ? list.find((other) => !tried.has(other)) : undefined;
        const onBackup = (): boolean => backup !== undefined && extra.spend() && tried.add(backup) !== undefined;
        try {
          return { value: await attempt({ ...run, member, backup, onBackup, onHedge }) };
        } catch (error) {
          failures.note(error, member);
        }
        failures.endIfAborted(run.signal);
      }
      return undefined;
    };
    failures.endIfAborted(run.signal);
    const done = (await tryAll(usable)) ?? (failures.areAllFaults() ? await tryAll(resort) : undefined);
    if (done !== undefined) return done.value;
    const again = failures.worthRepeating();
    if (again === undefined || !extra.spend()) throw failures.told();
    await sleep(REPEAT_PAUSE_MS * (0.5 + Math.random() / 2), undefined, { signal: run.signal }).catch(() => undefined);
    failures.endIfAborted(run.signal);
    return again.attempt(run.task, run.signal);
  };
}

type AttemptOptions<T> = Run<T> & {
  readonly member: EndpointMember;
  readonly backup: EndpointMember | undefined;
  /** Whether the backup may be asked now; then it counts as tried. */
  readonly onBackup: () => boolean;
  readonly onHedge: EndpointPoolOptions['onHedge'];
};

async function attempt<T>({ task, signal, isHedged, member, backup, onBackup, onHedge }: AttemptOptions<T>): Promise<T> {
  if (!isHedged) return member.attempt(task, signal);
  const timed = (one: EndpointMember) => async (ownSignal: AbortSignal) => {
    const startedAt = performance.now();
    const value = await one.attempt(task, ownSignal);
    one.hedgeLatency.note(performance.now() - startedAt);
    return value;
  };
  if (backup === undefined) return timed(member)(signal);
  return hedge({
    first: timed(member),
    second: () => (onBackup() ? timed(backup) : undefined),
    delayMs: Math.max(LEAST_HEDGE_DELAY_MS, member.hedgeLatency.p95() ?? FIRST_HEDGE_DELAY_MS),
    signal,
    onHedge: ({ won }) => {
      if (won) member.note({ type: 'outpaced' });
      onHedge?.({ won });
    },
  });
}
