import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest's own second is too short for a browser on a busy machine.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    // On two cores: what waits for a page's clock or for a disk leaves them to the others.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // The files of a process share its modules: to load them anew for each file took a fifth of the run.
    isolate: false,
    env: { NODE_ENV: 'test' },
  },
});
