import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { houseRules } from "../oxlint/houseRules.ts"
import { bin } from "./repository.ts"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "house-rules-"))
  writeFileSync(
    join(folder, ".oxlintrc.json"),
    JSON.stringify({
      plugins: ["import"],
      categories: { correctness: "off" },
      rules: { "import/no-cycle": "error", "no-console": "error" },
      overrides: houseRules
    })
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The rules that `source`, were it the file `path`, would break. */
const broken = (path: string, source: string): ReadonlyArray<string> => {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, source)
  const { stdout } = spawnSync(join(bin, "oxlint"), ["--format=json", path], { cwd: folder, encoding: "utf8" })
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: ReadonlyArray<{ readonly code: string }> }
  rmSync(file)
  return diagnostics.map(({ code }) => code)
}

const restricted = ["eslint(no-restricted-imports)"]

describe("the house rules", () => {
  it.each([
    ["packages/core/src/domain/A.ts", "../spi/Provider.ts"],
    ["packages/core/src/domain/A.ts", "../analysis/Gate.ts"],
    ["packages/core/src/analysis/A.ts", "../spi/Provider.ts"],
    ["packages/core/src/spi/A.ts", "../engine/Signalbox.ts"],
    ["packages/core/src/spi/A.ts", "../store/index.ts"],
    ["packages/core/src/store/A.ts", "../engine/Signalbox.ts"],
    ["packages/core/src/engine/A.ts", "../store/index.ts"],
    ["packages/core/src/engine/deep/A.ts", "../../testing/index.ts"],
    ["packages/core/src/telemetry/A.ts", "../domain/index.ts"],
    ["packages/core/src/engine/A.ts", "node:fs"],
    ["packages/core/src/engine/A.ts", "@effect/platform-node/NodeRuntime"],
    ["packages/core/src/store/A.ts", "@effect/sql-pg"],
    ["packages/core/src/engine/A.ts", "@aws-sdk/client-s3"],
    ["packages/core/src/engine/A.ts", "@signalbox/node"],
    ["packages/core/src/engine/A.ts", "vitest"],
    ["packages/core/src/engine/A.ts", "effect"],
    ["packages/provider-local/src/A.ts", "@signalbox/core"],
    ["packages/provider-local/src/A.ts", "@signalbox/core/engine"],
    ["packages/provider-aws/src/A.ts", "@signalbox/provider-local"],
    ["packages/notify/src/A.ts", "@signalbox/node"],
    ["packages/node/src/A.ts", "@signalbox/provider-local"],
    ["packages/dashboard/src/A.ts", "@signalbox/provider-aws"],
    ["examples/first/main.ts", "../../packages/core/src/index.ts"],
    ["examples/first/main.ts", "@signalbox/core/src/index.ts"]
  ])("refuse in %s an import of %s", (path, specifier) => {
    expect(broken(path, `import * as X from "${specifier}"\nexport const x = X\n`)).toEqual(restricted)
    expect(broken(path, `import type { X } from "${specifier}"\nexport type Y = X\n`)).toEqual(restricted)
    expect(broken(path, `export * from "${specifier}"\n`)).toEqual(restricted)
  })

  it.each([
    ["packages/core/src/analysis/A.ts", "../domain/index.ts"],
    ["packages/core/src/spi/A.ts", "../domain/Ids.ts"],
    ["packages/core/src/store/A.ts", "../spi/DeploymentStore.ts"],
    ["packages/core/src/engine/A.ts", "../telemetry/index.ts"],
    ["packages/core/src/engine/A.ts", "../internal/Client.ts"],
    ["packages/core/src/testing/A.ts", "../engine/Signalbox.ts"],
    ["packages/core/src/testing/A.ts", "@effect/vitest"],
    ["packages/core/src/engine/A.ts", "effect/workflow/Workflow"],
    ["packages/provider-local/src/A.ts", "@signalbox/core/spi"],
    ["packages/provider-local/src/A.ts", "node:http"],
    ["packages/provider-local/test/A.ts", "@signalbox/core/testing"],
    ["packages/node/src/A.ts", "@signalbox/core/store"],
    ["packages/cli/src/A.ts", "@signalbox/provider-local"],
    ["examples/first/main.ts", "@signalbox/core"]
  ])("allow in %s an import of %s", (path, specifier) => {
    expect(broken(path, `import * as X from "${specifier}"\nexport const x = X\n`)).toEqual([])
  })

  it.each(["Date.now()", "new Date()", "process.env", "setTimeout(() => {}, 1)", "Buffer.from([])", "fetch"])(
    "refuse %s in core",
    (expression) => {
      expect(broken("packages/core/src/engine/A.ts", `export const x = () => ${expression}\n`)).toEqual([
        "eslint(no-restricted-globals)"
      ])
      expect(broken("packages/provider-local/src/A.ts", `export const x = () => ${expression}\n`)).toEqual([])
    }
  )

  it("refuse chance in core", () => {
    expect(broken("packages/core/src/engine/A.ts", "export const x = () => Math.random()\n")).toEqual([
      "eslint(no-restricted-properties)"
    ])
  })

  it("refuse a cycle", () => {
    mkdirSync(join(folder, "packages/core/src/spi"), { recursive: true })
    writeFileSync(join(folder, "packages/core/src/spi/B.ts"), 'export * from "./A.ts"\n')
    expect(broken("packages/core/src/spi/A.ts", 'export * from "./B.ts"\nexport const x = 1\n')).toEqual([
      "import(no-cycle)"
    ])
  })

  it("refuse the console outside the command, scripts and examples", () => {
    expect(broken("packages/core/src/engine/A.ts", "console.log(1)\n")).toEqual(["eslint(no-console)"])
    expect(broken("packages/cli/src/A.ts", "console.log(1)\n")).toEqual([])
  })
})
