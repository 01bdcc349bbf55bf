import type { Service } from './compose.ts';
import { type Config, loadConfig } from './config.ts';
import { onFatalError } from './lib/fatal-error.ts';
import { StartupError } from './lib/startup-error.ts';
import { onStopSignal } from './lib/stop-signal.ts';

/** The life of a process: load the configuration, compose, start, stop on a signal. One that comes before it serves stops it as soon as it could. */
export async function runProcess(compose: (config: Config) => Promise<Service>): Promise<void> {
  try {
    const composing = compose(loadConfig());
    let isStopping = false;
    onStopSignal(() => {
      isStopping = true;
      // When it cannot even be composed, that is what is told below.
      composing.then(stop, () => undefined);
    });
    const service = await composing;
    if (isStopping) return;
    onFatalError(service);
    await service.start();
  } catch (error) {
    const text = error instanceof StartupError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`chainfolio cannot start: ${text}\n`);
    process.exit(1);
  }
}

function stop(service: Service): Promise<never> {
  return service.stop().then(
    (isClean) => process.exit(isClean ? 0 : 1),
    () => process.exit(1),
  );
}
