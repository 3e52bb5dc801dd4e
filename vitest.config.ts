import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:sdk` runs these.
    exclude: [...configDefaults.exclude, 'test/sdk/**'],
    globalSetup: ['test/support/shared-setup.ts'],
    // Many tests wait for programs of their own, so a second file at a time costs a machine of two cores nothing.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default config;
