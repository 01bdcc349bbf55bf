import { defineConfig } from 'vitest/config';

/** `npm run test:containers`: what needs podman. One file after the other, since each runs a whole system. */
export default defineConfig({
  test: {
    include: ['test/containers/*.spec.ts'],
    testTimeout: 240_000,
    hookTimeout: 480_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
