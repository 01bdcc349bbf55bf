/**
 * `node deploy/health-check.ts <url>`: ends with 0 when the address answers with a good status within 4 seconds, else with 1. The health check
 * of the containers, whose image has no other HTTP client.
 */
const TIMEOUT_MS = 4_000;

const [, , url = ''] = process.argv;
try {
  const { ok } = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  process.exitCode = ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
