import { defineConfig } from "vitest/config"

export default defineConfig({
  ssr: { resolve: { conditions: ["@signalbox/source", "node", "import", "default"] } },
  resolve: { conditions: ["@signalbox/source", "node", "import", "default"] },
  test: {
    include: ["packages/*/test/**/*.test.ts", "examples/*/*.test.ts", "tools/test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2
  }
})
