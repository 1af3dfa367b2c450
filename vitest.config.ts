import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (file: string): string => fileURLToPath(new URL(`src/${file}`, import.meta.url))

export default defineConfig({
  resolve: {
    // What examples import by the package's names is the source here.
    alias: [
      { find: /^quactor$/, replacement: source('index.ts') },
      { find: /^quactor\/testing$/, replacement: source('testing/index.ts') },
      { find: /^quactor\/testing\/vitest$/, replacement: source('testing/vitest.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/*.test.ts'],
    exclude: ['test/interop/**', 'test/browser/**', '**/node_modules/**'],
    setupFiles: ['test/setup.ts'],
    // Both cores of a small machine: the tests wait for conditions, none for the clock.
    maxWorkers: 2,
    // A hang, and no verdict on speed: a busy machine takes its time.
    testTimeout: 90_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
})
