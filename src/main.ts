import { compose } from './compose.ts';
import { loadConfig } from './config.ts';
import { onFatalError } from './lib/fatal-error.ts';
import { StartupError } from './lib/startup-error.ts';
import { onStopSignal } from './lib/stop-signal.ts';

/** The API process: load the configuration, compose, listen, stop on a signal. */
async function main(): Promise<void> {
  const service = await compose(loadConfig());
  onStopSignal(() => {
    service.stop().then(
      (isClean) => process.exit(isClean ? 0 : 1),
      () => process.exit(1),
    );
  });
  onFatalError(service);
  await service.start();
}

main().catch((error: unknown) => {
  const text = error instanceof StartupError ? error.message : String(error instanceof Error ? error.stack : error);
  process.stderr.write(`chainfolio cannot start: ${text}\n`);
  process.exit(1);
});
