import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest's own second is too short for a browser on a busy machine.
    expect: { poll: { timeout: 15_000 } },
    // Two cores: more files at once only take each other's time.
    maxWorkers: 2,
    pool: 'forks',
    env: { NODE_ENV: 'test' },
  },
});
