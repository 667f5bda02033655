import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHash } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root } from "./repository.ts"

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "run-"))
  for (const path of ["scripts/run.mjs", "package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"]) {
    cpSync(join(root, path), join(folder, path))
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs a task in a folder where every tool is a script that writes a report and ends as told. */
const task = (name: string, tools: { readonly report?: unknown; readonly exit?: number }) => {
  const bin = join(folder, "node_modules/.bin")
  rmSync(join(folder, "node_modules"), { recursive: true, force: true })
  mkdirSync(join(folder, "node_modules/.cache/signalbox"), { recursive: true })
  mkdirSync(bin)
  const lock = ["pnpm-lock.yaml", "pnpm-workspace.yaml"].map((file) => join(folder, file))
  const hash = createHash("sha256")
  for (const file of lock) hash.update(spawnSync("cat", [file]).stdout)
  writeFileSync(join(folder, "node_modules/.cache/signalbox/installed"), hash.digest("hex"))
  const script = (text: string) => `#!/bin/sh\n${text}\n`
  writeFileSync(join(bin, "node"), script("exit 0"), { mode: 0o755 })
  writeFileSync(join(bin, "npx"), script("exit 0"), { mode: 0o755 })
  writeFileSync(join(bin, "oxfmt"), script(`echo said on the way; exit ${tools.exit ?? 0}`), { mode: 0o755 })
  const report = tools.report === undefined ? "" : `cat > "$file" <<'END'\n${JSON.stringify(tools.report)}\nEND`
  writeFileSync(
    join(bin, "vitest"),
    script(
      `for a in "$@"; do case $a in --outputFile.json=*) file=\${a#*=};; esac; done\n${report}\nexit ${tools.exit ?? 0}`
    ),
    { mode: 0o755 }
  )
  const result = spawnSync(process.execPath, ["scripts/run.mjs", name], { cwd: folder, encoding: "utf8" })
  return { code: result.status, stdout: result.stdout.trim().split("\n"), stderr: result.stderr }
}

const counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }

describe("npm test", () => {
  it("ends with what the tests came to", () => {
    const { code, stdout } = task("test", {
      report: { ...counts, numPassedTests: 412, numPendingTests: 2, numTodoTests: 1 }
    })
    expect(stdout.at(-1)).toBe("412 passed, 0 failed, 3 skipped")
    expect(code).toBe(0)
  })

  it("fails with the tests, and says how to run one file", () => {
    const { code, stderr, stdout } = task("test", {
      report: { ...counts, numPassedTests: 3, numFailedTests: 1 },
      exit: 1
    })
    expect(stdout.at(-1)).toBe("3 passed, 1 failed")
    expect(stderr).toContain("npm test -- packages/")
    expect(code).toBe(1)
  })

  it("counts a file that could not be loaded as failed", () => {
    const testResults = [
      { status: "failed", assertionResults: [] },
      { status: "passed", assertionResults: [] }
    ]
    const { code, stdout } = task("test", { report: { ...counts, numPassedTests: 3, testResults }, exit: 1 })
    expect(stdout.at(-1)).toBe("3 passed, 1 failed")
    expect(code).toBe(1)
  })

  it("fails if no test ran", () => {
    const { code, stdout } = task("test", { report: counts })
    expect(stdout.at(-1)).toBe("0 passed, 0 failed")
    expect(code).toBe(1)
  })

  it("invents no count if the runner died", () => {
    const { code, stdout } = task("test", { exit: 137 })
    expect(stdout).toEqual([""])
    expect(code).toBe(137)
  })
})

describe("a quiet task", () => {
  it("prints only that it is done", () => {
    const { code, stderr } = task("fmt", {})
    expect(stderr).not.toContain("said on the way")
    expect(code).toBe(0)
  })

  it("shows its command's output if that failed, and fails as it did", () => {
    const { code, stderr } = task("fmt", { exit: 9 })
    expect(stderr).toContain("said on the way")
    expect(code).toBe(9)
  })

  it("that is unknown is rejected with the list of tasks", () => {
    const { code, stderr } = task("fly", {})
    expect(stderr).toContain("build, then run all tests")
    expect(code).toBe(64)
  })
})
