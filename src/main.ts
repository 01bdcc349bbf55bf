import { compose } from './compose.ts';
import { runProcess } from './run-process.ts';

/** The API process, which by default also does what is due. */
await runProcess(compose);
