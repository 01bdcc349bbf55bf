import { Counter, type Registry } from 'prom-client';

export type LogMetrics = {
  /** A line was not written, because those before it were not read. */
  readonly onLineDropped: () => void;
};

export function createLogMetrics(registry: Registry): LogMetrics {
  const dropped = new Counter({
    name: 'log_lines_dropped_total',
    help: 'Log lines not written, because nobody read those before them.',
    registers: [registry],
  });
  return { onLineDropped: () => dropped.inc() };
}
