import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { FeatureReporter } from './test/sdk/support/feature-reporter.ts';

/** `npm run test:sdk`: the server through the official SDK, on the stores that `STORES` names. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/sdk/**/*.test.ts'],
    globalSetup: ['test/support/shared-setup.ts'],
    // The SDK is loaded once for each process, not once for each file.
    isolate: false,
    maxWorkers: 2,
    reporters: ['default', new FeatureReporter()],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default config;
