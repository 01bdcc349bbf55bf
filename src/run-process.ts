import type { Service } from './compose.ts';
import { type Config, loadConfig } from './config.ts';
import { onFatalError } from './lib/fatal-error.ts';
import { StartupError } from './lib/startup-error.ts';
import { onStopSignal } from './lib/stop-signal.ts';

/** The life of a process: load the configuration, compose, start, stop on a signal. */
export async function runProcess(compose: (config: Config) => Promise<Service>): Promise<void> {
  try {
    const service = await compose(loadConfig());
    onStopSignal(() => {
      service.stop().then(
        (isClean) => process.exit(isClean ? 0 : 1),
        () => process.exit(1),
      );
    });
    onFatalError(service);
    await service.start();
  } catch (error) {
    const text = error instanceof StartupError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`chainfolio cannot start: ${text}\n`);
    process.exit(1);
  }
}
