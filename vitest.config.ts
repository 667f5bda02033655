import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { configDefaults, defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

// These need a Postgres server. CI has one and fails without; elsewhere they are left out, aloud.
const needsPostgres = ["packages/node/test/store/Postgres.test.ts", "packages/cli/test/runPostgres.test.ts"]
const hasPostgres =
  existsSync("/usr/lib/postgresql") ||
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, "initdb")))
const leftOut = hasPostgres || process.env["CI"] ? [] : needsPostgres
if (leftOut.length > 0) console.warn(`No Postgres server here (apt-get install postgresql): ${leftOut} is left out.`)

// Most tests change nothing outside of themselves and share workers: starting one for each file costs a third of their time.
const shared = ["core", "cli", "node", "provider-local", "provider-gcp", "notify", "fault-proxy"].map(
  (name) => `packages/${name}/test/**/*.test.ts`
)
// These plant bugs in modules, register global tracers, set variables of the process, or have hooks in shared modules.
const alone = [
  "packages/core/test/testing/SimulationCatches*.test.ts",
  "packages/node/test/telemetry/*.test.ts",
  "packages/node/test/sdk/{recorded,runCommand}.test.ts",
  "packages/provider-local/test/Artifact.test.ts"
]

/** What takes longest begins first, so that no worker is left alone with it at the end. */
const longest = [
  "cli/test/chaos/Chaos",
  "provider-local/test/Conformance",
  "core/test/testing/Simulation",
  "cli/test/docs",
  "test/workflowsEmbedded",
  "cli/test/race/shells",
  "cli/test/deployment",
  "cli/test/leftBehind",
  "cli/test/orphans",
  "test/command/LeasedCommand",
  "test/command/Guard",
  "test/workflowRuns",
  "cli/test/outage",
  "cli/test/chaos/Stopped"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.includes(name))
      return at === -1 ? longest.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

const conditions = ["@signalbox/source", "node"]

export default defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          globalSetup: ["packages/cli/test/sharedProgram.ts"],
          include: shared,
          exclude: [...configDefaults.exclude, ...leftOut, ...alone],
          isolate: false
        }
      },
      {
        extends: true,
        test: {
          name: "alone",
          globalSetup: ["packages/cli/test/sharedProgram.ts"],
          include: [...alone, "examples/!(aws-cloudformation)/*.test.ts", "tools/test/**/*.test.ts"]
        }
      },
      {
        extends: true,
        test: {
          name: "aws",
          globalSetup: ["packages/cli/test/sharedProgram.ts", "packages/provider-aws/test/emulator.ts"],
          include: ["packages/provider-aws/test/**/*.test.ts", "examples/aws-cloudformation/*.test.ts"],
          isolate: false
        }
      }
    ],
    // Against hanging, not against slowness: a machine may be busy with something else.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    // Processes that are started from the sources, such as supervisors, would otherwise be compiled again each time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules", ".cache", "signalbox", "compiled") },
    // Most tests wait for processes: more workers than two cores keep both of them busy.
    maxWorkers: 5,
    sequence: { sequencer: LongestFirst },
    // Imports JSON as a bundler does, which Node alone refuses.
    server: { deps: { inline: [/@actions\/(workflow-parser|languageservice)/] } }
  }
})
