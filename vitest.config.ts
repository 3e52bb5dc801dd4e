import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:sdk` runs these.
    exclude: [...configDefaults.exclude, 'test/sdk/**'],
    globalSetup: ['test/support/shared-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default config;
