/**
 * Loaded into a service's process before its own code, by `NODE_OPTIONS=--import`: with SIGUSR2 the fault that PLANTED_FAULT names happens in it. `throw` and `reject` reach
 * nobody, `block` keeps the event loop busy for PLANTED_MS.
 */
const faults: Readonly<Record<string, () => void>> = {
  throw: () => {
    throw new Error('planted');
  },
  reject: () => void Promise.reject(new Error('planted')),
  block: () => {
    const until = performance.now() + Number(process.env.PLANTED_MS);
    while (performance.now() < until);
  },
};

process.on('SIGUSR2', () => setTimeout(faults[process.env.PLANTED_FAULT ?? ''] ?? (() => undefined), 0));
