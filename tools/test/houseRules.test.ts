import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { houseRules } from "../oxlint/houseRules.ts"
import { bin } from "./repository.ts"

let folder: string
let diagnostics: ReadonlyArray<{ readonly code: string; readonly filename: string }>

/** The sources that are linted, all in one run: to start the linter takes longer than to lint. */
const sources: Array<readonly [path: string, source: string]> = []

/**
 * Adds a source as though it were in the folder of `path`. Returns a function that lists the broken rules, once all
 * were linted.
 */
const linted = (
  path: string,
  source: string,
  file = join(dirname(path), `N${sources.length}.ts`)
): (() => ReadonlyArray<string>) => {
  sources.push([file, source])
  return () => diagnostics.filter(({ filename }) => filename === file).map(({ code }) => code)
}

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
  for (const [path, source] of sources) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), source)
  }
  const { stdout } = spawnSync(join(bin, "oxlint"), ["--format=json", "."], { cwd: folder, encoding: "utf8" })
  diagnostics = (JSON.parse(stdout) as { readonly diagnostics: typeof diagnostics }).diagnostics
})
afterAll(() => rmSync(folder, { recursive: true }))

const restricted = ["eslint(no-restricted-imports)"]

describe("the house rules", () => {
  for (const [path, specifier] of [
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
    ["packages/fault-proxy/src/A.ts", "@signalbox/core/spi"],
    ["packages/dashboard/src/A.ts", "@signalbox/provider-aws"],
    ["examples/first/main.ts", "../../packages/core/src/index.ts"],
    ["examples/first/main.ts", "@signalbox/core/src/index.ts"]
  ] as const) {
    const broken = [
      `import * as X from "${specifier}"\nexport const x = X\n`,
      `import type { X } from "${specifier}"\nexport type Y = X\n`,
      `export * from "${specifier}"\n`
    ].map((source) => linted(path, source))
    it(`refuse in ${path} an import of ${specifier}`, () => {
      for (const rules of broken) expect(rules()).toEqual(restricted)
    })
  }

  for (const [path, specifier] of [
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
  ] as const) {
    const broken = linted(path, `import * as X from "${specifier}"\nexport const x = X\n`)
    it(`allow in ${path} an import of ${specifier}`, () => expect(broken()).toEqual([]))
  }

  const core = "packages/core/src/engine/A.ts"

  for (const expression of [
    "Date.now()",
    "new Date()",
    "process.env",
    "setTimeout(() => {}, 1)",
    "Buffer.from([])",
    "fetch"
  ]) {
    const inCore = linted(core, `export const x = () => ${expression}\n`)
    const elsewhere = linted("packages/provider-local/src/A.ts", `export const x = () => ${expression}\n`)
    it(`refuse ${expression} in core`, () => {
      expect(inCore()).toEqual(["eslint(no-restricted-globals)"])
      expect(elsewhere()).toEqual([])
    })
  }

  const chance = linted(core, "export const x = () => Math.random()\n")
  it("refuse chance in core", () => expect(chance()).toEqual(["eslint(no-restricted-properties)"]))

  const spi = (name: string) => `packages/core/src/spi/${name}.ts`
  const one = linted(spi("One"), 'export * from "./Other.ts"\nexport const x = 1\n', spi("One"))
  const other = linted(spi("Other"), 'export * from "./One.ts"\n', spi("Other"))
  it("refuse a cycle", () => expect([...one(), ...other()]).toContain("import(no-cycle)"))

  const consoles = [core, "packages/cli/src/A.ts"].map((path) => linted(path, "console.log(1)\n"))
  it("refuse the console outside the command, scripts and examples", () => {
    expect(consoles.map((rules) => rules())).toEqual([["eslint(no-console)"], []])
  })
})
