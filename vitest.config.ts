import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { configDefaults, defineConfig } from "vitest/config"

// These need a Postgres server. CI has one and fails without; elsewhere they are left out, aloud.
const needsPostgres = ["packages/node/test/store/Postgres.test.ts", "packages/cli/test/runPostgres.test.ts"]
const hasPostgres =
  existsSync("/usr/lib/postgresql") ||
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "initdb")))
const leftOut = hasPostgres || process.env["CI"] ? [] : needsPostgres
if (leftOut.length > 0) console.warn(`No Postgres server here (apt-get install postgresql): ${leftOut} is left out.`)

// Tests of core change nothing outside of themselves, and share workers: starting one for each file costs a third of their
// time. Those that plant bugs in modules need modules of their own.
const shared = "packages/core/test/**/*.test.ts"
const planting = "packages/core/test/testing/SimulationCatches*.test.ts"

const conditions = ["@signalbox/source", "node", "import", "default"]

export default defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    projects: [
      { extends: true, test: { name: "core", include: [shared], exclude: [planting], isolate: false } },
      {
        extends: true,
        test: {
          name: "whole",
          include: ["packages/*/test/**/*.test.ts", planting, "examples/*/*.test.ts", "tools/test/**/*.test.ts"],
          exclude: [
            ...configDefaults.exclude,
            ...leftOut,
            "packages/core/test/!(testing)/**",
            "packages/core/test/testing/!(SimulationCatches)*.test.ts"
          ]
        }
      }
    ],
    // Against hanging, not against slowness: a machine may be busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most tests wait for processes: more workers than two cores keep both of them busy.
    maxWorkers: 3,
    // Imports JSON as a bundler does, which Node alone refuses.
    server: { deps: { inline: [/@actions\/(workflow-parser|languageservice)/] } }
  }
})
